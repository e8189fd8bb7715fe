"""Where the time of a training step goes, node by node, and what limits each."""

from dagnet.profiling.limits import Limits
from dagnet.profiling.profile import NodeProfile, Profile
from dagnet.profiling.timing import profile

__all__ = ["Limits", "NodeProfile", "Profile", "profile"]
