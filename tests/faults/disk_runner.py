#!/usr/bin/env python3
"""The disk under host-sim as an enemy: full for a while, its SQLite files damaged page by page, its data folder used
twice. The same mails and replies as in the kill runner, and the same count at the end.

    disk_runner.py --build build/release --full       1,500 mails, 60 replies; every page of both files (about 20 minutes)
    disk_runner.py                                     a sample; HOST_SIM and PLUGINS in the environment
    disk_runner.py --only state --pages 3,17           one job, these pages

Jobs: full (the disk is full), state (the plugin's file damaged), books (the host's own file damaged), two (two host-sim
processes on one data folder).

A small tmpfs is the disk where root may mount one; else, and with --full as well, a limit on the size of files
(RLIMIT_FSIZE), under which every write fails. Where neither works the job is skipped with its reason (exit code 77).
"""
import collections
import contextlib
import os
import pathlib
import random
import resource
import shutil
import signal
import subprocess
import sys
import time

import whole_processes

SKIPPED = 77
JOBS = ("full", "state", "books", "two")
STATE = pathlib.Path("plugins/m365/m365.db")
BOOKS = pathlib.Path("host.db")
MAILS = pathlib.Path("host.mails")  # the log of events that the books name places in


# -- full -------------------------------------------------------------------------------------------------------------


class SmallDisk:
    """A tmpfs on the data folder, filled up by a file of ballast."""

    name = "tmpfs"

    def __init__(self, data, size_mb=96):
        self.data, self.ballast = data, data / "ballast"
        data.mkdir(mode=0o700)
        try:
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_mb}m,mode=700", "tmpfs", str(data)], check=True,
                           capture_output=True, text=True)
        except (OSError, subprocess.CalledProcessError) as error:
            data.rmdir()
            raise whole_processes.Skip("a small tmpfs cannot be mounted here: " + str(getattr(error, "stderr", error)).strip()) from None

    options = {}

    def fill(self, process=None):
        # Without a buffer, whose rest would be written once more, and fail once more, when the file is closed.
        with open(self.ballast, "wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(65536))
        if os.statvfs(self.data).f_bavail > 8:
            raise whole_processes.Skip("the small tmpfs does not get full")

    def free(self, process=None):
        self.ballast.unlink(missing_ok=True)

    def close(self):
        subprocess.run(["umount", "-l", str(self.data)], check=False)


class SmallFiles:
    """No file may grow or change beyond its first page."""

    name = "RLIMIT_FSIZE"
    limit = 4096

    def __init__(self, data):
        self.data = data
        self.is_full = False
        if not hasattr(resource, "prlimit") or resource.getrlimit(resource.RLIMIT_FSIZE)[1] != resource.RLIM_INFINITY:
            raise whole_processes.Skip("the size of files cannot be limited here for a while")

    @property
    def options(self):
        limit = self.limit if self.is_full else resource.RLIM_INFINITY

        def prepare():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # the write fails then, and nobody dies
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        return {"preexec_fn": prepare}

    def _set(self, process, limit):
        if process is not None and process.poll() is None:
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    def fill(self, process=None):
        self.is_full = True
        self._set(process, self.limit)

    def free(self, process=None):
        self.is_full = False
        self._set(process, resource.RLIM_INFINITY)

    def close(self):
        pass


def wait_for(condition, seconds):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def full_disk(kind, cycles, seconds):
    def job(world):
        disk = kind(world.data)
        problems = []
        try:
            share = world.mails // (2 * cycles)
            replies = len(world.replies) // (2 * cycles)
            held_back = 0
            for cycle in range(cycles):
                process = world.start(*world.run_arguments(), **disk.options)
                before = len(world.inbox()) if (world.data / BOOKS).exists() else 0
                world.arrive(share)
                wait_for(lambda: (world.data / BOOKS).exists() and len(world.inbox()) > before, 60)
                disk.fill(process)
                time.sleep(1)  # what was under way
                taken = len(world.inbox())
                world.arrive(share)
                time.sleep(seconds)
                held_back += len(world.held()) - len(world.inbox())
                if len(world.inbox()) > taken + 1:
                    problems.append(f"cycle {cycle}: mails were taken although the disk is full")
                if process.poll() is not None:
                    problems.append(f"cycle {cycle}: a full disk ended host-sim run with {process.returncode}")
                if cycle % 2 == 0:  # stopped while it is full, else freed under the running process
                    process.terminate()
                    code = process.wait(60)
                    if code < 0:
                        problems.append(f"cycle {cycle}: stopping on a full disk ended in signal {-code}")
                    sender = world.start(*world.send_arguments(world.replies[:replies * (2 * cycle + 1)]), "--patience",
                                         "3", **disk.options)
                    if sender.wait(120) < 0:
                        problems.append(f"cycle {cycle}: sending on a full disk ended in signal {-sender.returncode}")
                    disk.free()
                else:
                    disk.free(process)
                    if not wait_for(lambda: len(world.inbox()) > taken + 1, 120):
                        problems.append(f"cycle {cycle}: nothing was taken after the disk had room again")
                    process.terminate()
                    process.wait(60)
            if held_back == 0:
                problems.append("the full disk held nothing back, so nothing is proved")
            problems += world.rest() + world.compare()
            return (f"disk full {cycles} times ({disk.name}), {held_back} mails held back meanwhile, {world.mails} mails, "
                    f"{len(world.replies)} replies"), problems
        finally:
            disk.close()
    return job


# -- damaged ----------------------------------------------------------------------------------------------------------


def page_size(file):
    with open(file, "rb") as database:
        header = database.read(100)
    if not header.startswith(b"SQLite format 3\0"):
        return 4096
    size = int.from_bytes(header[16:18], "big")
    return 65536 if size == 1 else size


def pages_of(file):
    return file.stat().st_size // page_size(file)


def damage(file, page):
    size = page_size(file)
    with open(file, "r+b") as database:
        database.seek(page * size)
        database.write(random.Random(page).randbytes(size))


def chosen(file, options):
    pages = pages_of(file)
    if options.pages:
        return [page for page in options.pages if page < pages]
    if options.full:
        return range(pages)
    return sorted({0, 1, pages - 1} | set(random.Random(options.seed).sample(range(pages), min(5, pages))))


def branch(world, file, page):
    """A copy of the data folder with one page of one file destroyed."""
    data = world.folder / "branch"
    shutil.rmtree(data, ignore_errors=True)
    shutil.copytree(world.data, data)
    damage(data / file, page)
    return data


def base(world):
    """Everything fetched, half of the replies sent, the process ended in order."""
    problems = []
    world.arrive(world.mails)
    code, _ = world.said("run", "--until-idle", "--patience", "60")
    if code != 0:
        problems.append(f"the undamaged run ended with {code}")
    code, _ = world.said(*world.send_arguments(world.replies))
    if code != 0:
        problems.append(f"the undamaged sending ended with {code}")
    return problems


def one_more(world, page):
    """A mail that arrives and a reply that leaves on the damaged branch."""
    world.tenant.flood(world.addresses[page % len(world.addresses)], 1)
    return [{"from": world.addresses[0], "to": [whole_processes.CUSTOMER], "subject": f"After page {page}",
             "text": "It leaves once.", "key": f"page-{page}"}]


def damaged_state(options):
    """Receipts may be gone, the host's own copy is not: every mail stays once in its inbox, and the file is kept."""
    def job(world):
        problems = base(world)
        pages = chosen(world.data / STATE, options)
        ends = collections.Counter()
        for page in pages:
            data = branch(world, STATE, page)
            rows = one_more(world, page)
            found = []
            code, said = world.said("run", "--until-idle", "--patience", "2", data=data)
            if code != 0:  # met while running: the next start sets the file aside
                if str(data / STATE) not in said:
                    found.append(f"ended with {code} and did not name the file")
                code, more = world.said("run", "--until-idle", "--patience", "60", data=data)
                said += more
            if code != 0:
                found.append(f"ended with {code} at the second start, too")
            for _ in range(2):  # its page may be met only now
                code, more = world.said(*world.send_arguments(rows), data=data)
                said += more
                if code == 0:
                    break
            if code != 0:
                found.append(f"sending ended with {code}")
            aside = [path for path in (data / STATE).parent.glob("*.damaged-*")]
            ends["set aside" if aside else "not noticed, for nobody needs the page"] += 1
            for path in aside:
                if path.name.removesuffix("-wal").removesuffix("-shm") not in said:
                    found.append(f"{path.name} is named nowhere")
                if path.stat().st_mode & 0o077:
                    found.append(f"{path.name} can be read by others")
            found += world.compare_inbox(world.held(), data)
            times = world.arrived().count(rows[0]["subject"])
            if times != 1:
                found.append(f"its reply reached the customer {times} times")
            problems += [f"page {page}: {each}" for each in found]
        arrived = world.arrived()
        problems += [f"{row['subject']} reached the customer {arrived.count(row['subject'])} times"
                     for row in world.replies if arrived.count(row["subject"]) != 1]
        return (f"{len(pages)} of {pages_of(world.data / STATE)} pages of {STATE.name} destroyed ("
                + ", ".join(f"{count} {how}" for how, count in ends.items()) + f"), {world.mails} mails"), problems
    return job


def damaged_books(options):
    """The host's books cannot be made anew: it refuses with the file's name, or goes on when nothing needs the page."""
    def job(world):
        problems = base(world)
        pages = [(file, page) for file in (BOOKS, MAILS) for page in chosen(world.data / file, options)]
        ends = collections.Counter()
        for file, page in pages:
            data = branch(world, file, page)
            one_more(world, page)
            found = []
            code, said = world.said("run", "--until-idle", "--patience", "2", data=data)
            if code < 0:
                found.append(f"ended by signal {-code}")
            if code != 0:
                ends["refused"] += 1
                if file.name not in said:
                    found.append(f"ended with {code} and did not name the file")
            else:
                ends["went on"] += 1
                code, said = list_inbox(world, data)
                if code < 0:
                    found.append(f"listing ended by signal {-code}")
                elif code != 0 and file.name not in said:
                    found.append(f"listing ended with {code} and did not name the file")
                elif code == 0:
                    found += world.compare_inbox(world.held(), data)
                elif file == MAILS:
                    ends["named when it was read"] += 1
            problems += [f"{file} page {page}: {each}" for each in found]
        # The undamaged folder is what a backup would be.
        code, _ = world.said("run", "--until-idle", "--patience", "60")
        if code != 0:
            problems.append(f"the undamaged run at the end ended with {code}")
        problems += world.compare_inbox(world.held())
        all_pages = sum(pages_of(world.data / file) for file in (BOOKS, MAILS))
        return (f"{len(pages)} of {all_pages} pages of {BOOKS.name} and {MAILS.name} destroyed ("
                + ", ".join(f"{count} {how}" for how, count in ends.items()) + f"), {world.mails} mails"), problems
    return job


def list_inbox(world, data):
    done = subprocess.run([world.harness.HOST_SIM, "inbox", "--data", str(data), "--json"], capture_output=True, text=True,
                          check=False)
    return done.returncode, done.stdout + done.stderr


# -- twice ------------------------------------------------------------------------------------------------------------


def two_processes(times):
    """By mistake: the second one is refused with a sentence, and the first one does not notice."""
    def job(world):
        problems = []
        events = world.folder / "events.jsonl"
        first = world.start(*world.run_arguments())
        if not wait_for(lambda: events.exists() and '"started"' in events.read_text(), 60):
            problems.append("the first one never started")
        for time_ in range(times):
            world.arrive(max(1, world.mails // times))
            arguments = [("run", "--until-idle"), world.send_arguments(world.replies)][time_ % 2]
            code, said = world.said(*arguments)
            if code <= 0:
                problems.append(f"the second {arguments[0]} ended with {code}")
            if "another host-sim works with the data folder" not in said or str(world.data) not in said:
                problems.append(f"the second {arguments[0]} did not say why: {said[-300:]}")
        if not wait_for(lambda: len(world.inbox()) >= world.mails, 120):
            problems.append("the first one did not go on")
        first.terminate()
        code = first.wait(60)
        if code != 0:
            problems.append(f"the first one ended with {code}")
        if world.arrived():
            problems.append("a refused process sent something")
        problems += world.rest() + world.compare()
        return f"{times} times a second host-sim on one data folder", problems
    return job


def play(job, options):
    """True: all agree; False: not; None: skipped."""
    large = options.full
    if job == "full":
        size = dict(mails=1500, replies=60, large_every=30) if large else dict(mails=240, replies=12)
        played = []
        for kind in (SmallDisk, SmallFiles):
            played.append(whole_processes.play(f"full-{kind.name}", options,
                                               full_disk(kind, 6 if large else 2, 6 if large else 3), **size))
            if not large and played[-1] is not None:
                break  # the other one is for where this one cannot be had, and for the full run
        done = [each for each in played if each is not None]
        return all(done) if done else None
    if job in ("state", "books"):
        size = dict(mails=300, replies=20) if large else dict(mails=60, replies=6)
        damaged = damaged_state if job == "state" else damaged_books
        return whole_processes.play(job, options, damaged(options), after_fetch="leave", **size)
    return whole_processes.play("two", options, two_processes(20 if large else 4), mails=60, replies=6)


def main():
    arguments = whole_processes.parser(__doc__)
    arguments.add_argument("--full", action="store_true", help="everything; else a sample")
    arguments.add_argument("--only", choices=JOBS, help="one of the jobs")
    arguments.add_argument("--pages", type=lambda text: [int(page) for page in text.split(",")], default=[],
                           help="of the job state or books: these pages")
    options = whole_processes.parse(arguments)
    played = [play(job, options) for job in ([options.only] if options.only else JOBS)]
    if False in played:
        sys.exit(1)
    sys.exit(SKIPPED if all(each is None for each in played) else 0)


if __name__ == "__main__":
    main()
