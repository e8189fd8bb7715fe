"""The recorder: what training was like at any step, and going on from there."""

from dagnet.debug.recorder.recorder import Recorder

__all__ = ["Recorder"]
