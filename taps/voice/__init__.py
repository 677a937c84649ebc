"""The voice API: calls and their legs, numbers, greetings, IVR menus, and figures of today."""

from taps.voice.tap import TapVoice

__all__ = ["TapVoice"]
