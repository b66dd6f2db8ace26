"""What stands before a leaf's backend, so that nothing that was accepted is lost."""

from eventtracking_core.delivery.deadletters import DeadLetter, DeadLetters
from eventtracking_core.delivery.leaf import BufferedLeaf
from eventtracking_core.delivery.options import MODES, DeliveryOptions
from eventtracking_core.delivery.remote import Carrier, RemoteRouter, remote_nodes
from eventtracking_core.delivery.remote_leaf import Postponed, RemoteLeaf
from eventtracking_core.delivery.survey import ProcessSpool, SegmentSurvey, survey

__all__ = [
    "MODES",
    "BufferedLeaf",
    "Carrier",
    "DeadLetter",
    "DeadLetters",
    "DeliveryOptions",
    "Postponed",
    "ProcessSpool",
    "RemoteLeaf",
    "RemoteRouter",
    "SegmentSurvey",
    "remote_nodes",
    "survey",
]
