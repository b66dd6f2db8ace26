"""What stands before a leaf's backend, so that nothing that was accepted is lost."""

from eventtracking_core.delivery.deadletters import DeadLetter, DeadLetters
from eventtracking_core.delivery.leaf import BufferedLeaf
from eventtracking_core.delivery.options import MODES, DeliveryOptions
from eventtracking_core.delivery.survey import ProcessSpool, SegmentSurvey, survey

__all__ = [
    "MODES",
    "BufferedLeaf",
    "DeadLetter",
    "DeadLetters",
    "DeliveryOptions",
    "ProcessSpool",
    "SegmentSurvey",
    "survey",
]
