#!/usr/bin/env python3
"""Compares two results of `./dev bench --json FILE`: for every figure before, after, and after / before.

The machine is noisy: look at CPU and counts rather than at times, and at the load average of both.
"""
import argparse
import json
import sys


def figures(file):
    with open(file, encoding="utf-8") as text:
        results = json.load(text)
    found = {}
    for section in results["sections"]:
        for row in section["rows"]:
            for name, value in row["figures"].items():
                found[section["name"], row["name"], name] = value
    return results["conditions"], found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before")
    parser.add_argument("after")
    parser.add_argument("--change", type=float, default=0, metavar="PERCENT", help="show only what changed by more")
    options = parser.parse_args()
    conditions_before, before = figures(options.before)
    conditions_after, after = figures(options.after)
    for name in conditions_before.keys() | conditions_after.keys():
        if conditions_before.get(name) != conditions_after.get(name):
            print(f"{name}: {conditions_before.get(name)} -> {conditions_after.get(name)}")
    shared = [key for key in before if key in after]
    if not shared:
        sys.exit("the two files share no figure")
    last = None
    for key in shared:
        old, new = before[key], after[key]
        ratio = new / old if old else (1 if new == old else float("inf"))
        if abs(ratio - 1) * 100 < options.change:
            continue
        if key[:2] != last:
            last = key[:2]
            print(f"\n{key[0]}: {key[1]}")
        print(f"  {key[2]:<28} {old:>12.4g} {new:>12.4g}   x {ratio:.2f}")
    for key in before.keys() ^ after.keys():
        print("only in one of them: " + ": ".join(key))


if __name__ == "__main__":
    main()
