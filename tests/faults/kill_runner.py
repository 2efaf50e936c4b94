#!/usr/bin/env python3
"""Kills host-sim with SIGKILL at random moments while mails arrive and replies leave, then lets it finish and compares
the host's inbox with the mailboxes: nothing lost, nothing double, every reply with the customer exactly once.

    kill_runner.py --build build/release                                  200 kills, 3,000 mails, 300 replies
    kill_runner.py --kills 20 --mails 600 --replies 40 --seed 7           a sample; HOST_SIM and PLUGINS in the environment

The seed decides what is killed, after how long, and what arrives meanwhile; the moment inside the program is then the
machine's, so a seed narrows a failure down rather than repeating it.

A reply whose sending was asked for when the process died, and which still stands in Drafts, is looked for over ten
minutes before it is sent again (the service may yet carry it out). The last start is therefore told that those minutes
have passed, by the time in its own record; --wait lets them pass in truth.
"""
import sys
import time

import whole_processes


def kill_once(world, options, number):
    """One life of host-sim: fetching, or handing over replies, ended by SIGKILL."""
    share = max(1, options.mails // options.kills)
    world.arrive(share // 2)
    if number % 4 == 1 and world.replies:
        # Replies are kept under their keys, so handing all of them over again repeats none.
        first = len(world.replies) * number // options.kills
        process = world.start(*world.send_arguments(
            world.replies[:first + len(world.replies) * 4 // options.kills + 1]))
    else:
        process = world.start(*world.run_arguments())
    moment = world.random.uniform(0, options.longest)
    half = world.random.uniform(0, moment)
    time.sleep(half)
    world.arrive(share - share // 2)
    time.sleep(moment - half)
    ended = process.poll()
    process.kill()
    process.wait()
    return ended is None


def kills(options):
    def job(world):
        killed = lives = 0
        while killed < options.kills and lives < 3 * options.kills:  # some have ended by themselves before
            killed += kill_once(world, options, lives)
            lives += 1
        before = len(world.inbox()) if world.data.exists() else 0
        sent_before = len(world.arrived())
        problems = world.rest() + world.compare()
        if killed < options.kills:
            problems.append(f"only {killed} lives could be ended by SIGKILL")
        # Kills that hit nothing prove nothing: work must have been done between them, and be left for the end.
        if options.mails and before == 0:
            problems.append("no mail was fetched between the kills: the machine is too slow for --longest")
        if options.replies and sent_before == 0:
            problems.append("no reply left between the kills: the machine is too slow for --longest")
        return (f"{killed} of {lives} lives ended by SIGKILL, {options.mails} mails ({before} before the last "
                f"start), {options.replies} replies ({sent_before} before)"), problems
    return job


def main():
    arguments = whole_processes.parser(__doc__)
    arguments.add_argument("--kills", type=int, default=200)
    arguments.add_argument("--mails", type=int, default=3000)
    arguments.add_argument("--replies", type=int, default=300)
    arguments.add_argument("--longest", type=float, default=2.5, help="seconds until a kill at the latest")
    arguments.add_argument("--wait", action="store_true", help="let the ten minutes of looks pass in truth")
    options = whole_processes.parse(arguments)
    well = whole_processes.play("kill", options, kills(options), mails=options.mails, replies=options.replies,
                                wait=options.wait)
    sys.exit(0 if well else 1)


if __name__ == "__main__":
    main()
