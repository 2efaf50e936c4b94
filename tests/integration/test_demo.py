"""The demo is the product's promise to a newcomer: it must hold, and leave nothing behind."""
import pathlib
import tempfile
import unittest

from harness import PLUGINS, host_sim


class Demo(unittest.TestCase):
    def test_the_story_holds(self):
        before = set(pathlib.Path(tempfile.gettempdir()).glob("*demo*"))
        done = host_sim("demo", "--plugins", PLUGINS, timeout=300)
        self.assertEqual(0, done.code, done.out[-4000:] + done.err)
        for words in ("In-Reply-To", "AADSTS7000215", "Rejected", "sentitems"):
            self.assertIn(words, done.out)
        for pattern in (r"eyJ[A-Za-z0-9_-]{16,}", "authtoken", "Bearer [A-Za-z0-9]"):  # its tenant is its own
            self.assertNotRegex(done.out + done.err, pattern)
        self.assertEqual(before, set(pathlib.Path(tempfile.gettempdir()).glob("*demo*")))


if __name__ == "__main__":
    unittest.main()
