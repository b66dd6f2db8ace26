# cython: language_level=3, binding=False, embedsignature=False
"""The walks of eventtracking-core that every event goes through, in C. No state."""

from cpython.datetime cimport PyDateTime_CheckExact, datetime_tzinfo, import_datetime
from cpython.dict cimport PyDict_Next
from cpython.object cimport PyObject
from cpython.unicode cimport PyUnicode_GET_LENGTH

from libc.math cimport isfinite

from datetime import UTC

import_datetime()

cdef enum:
    FIELDS = 5
    MAX_DEPTH = 64
    MAX_VALUES = 20_000
    MAX_WEIGHT = 256 * 1024
    SCALAR_BYTES = 12
    VALUE_WEIGHT = 13


cdef object _UTC = UTC
cdef object _COPIED = 1 << 40


cdef inline bint _is_number(object value) noexcept:
    cdef type kind = type(value)
    return kind is int or kind is float or kind is bool or value is None


cdef int _weigh(object value, int depth, Py_ssize_t* total, bint* foreign) except -1:
    """Add the weight of a value; return 1 if it needs a closer look.

    `foreign` becomes true for a time of another zone, or of none.
    """
    cdef Py_ssize_t position = 0
    cdef PyObject* key
    cdef PyObject* item
    cdef type kind = type(value)
    if kind is str:
        total[0] += PyUnicode_GET_LENGTH(value)
        return total[0] > MAX_WEIGHT
    if _is_number(value):
        return 0
    if kind is dict:
        total[0] += VALUE_WEIGHT * len(<dict>value)
        if depth == 0 or total[0] > MAX_WEIGHT:
            return 1
        while PyDict_Next(value, &position, &key, &item):
            if type(<object>key) is not str or _weigh(<object>item, depth - 1, total, foreign):
                return 1
        return 0
    if kind is list or kind is tuple:
        total[0] += VALUE_WEIGHT * len(value)
        if depth == 0 or total[0] > MAX_WEIGHT:
            return 1
        if kind is list:
            for each in <list>value:
                if _weigh(each, depth - 1, total, foreign):
                    return 1
        else:
            for each in <tuple>value:
                if _weigh(each, depth - 1, total, foreign):
                    return 1
        return 0
    if PyDateTime_CheckExact(value):
        if datetime_tzinfo(value) is not _UTC:
            foreign[0] = True
        return 0
    return 1


def plain_weight(event):
    """Return at least an event's weight, as `eventtracking_core.encoding` defines it.

    Returns:
        -1 if the event needs a closer look: it is heavy, or has values that are not plain.
    """
    cdef Py_ssize_t total = 0
    cdef int stamps = 0
    cdef bint foreign = False
    if type(event) is not dict:
        return -1
    cdef dict fields = <dict>event
    if len(fields) != FIELDS:
        stamps = (type(fields.get("name_id")) is str) + (type(fields.get("context_type_id")) is str)
        if len(fields) != FIELDS + stamps:
            return -1
    moment, context, data = fields.get("timestamp"), fields.get("context"), fields.get("data")
    if not PyDateTime_CheckExact(moment) or datetime_tzinfo(moment) is not _UTC:
        return -1
    if type(context) is not dict or type(data) is not dict:
        return -1
    if _weigh(context, MAX_DEPTH, &total, &foreign) or _weigh(data, MAX_DEPTH, &total, &foreign):
        return -1
    return total + _COPIED if foreign else total


cdef object _copy(object value, int depth, object other, object convert):
    cdef Py_ssize_t position = 0, index = 0
    cdef PyObject* key
    cdef PyObject* item
    cdef type kind = type(value)
    if kind is str or _is_number(value):
        return value
    if PyDateTime_CheckExact(value) and datetime_tzinfo(value) is _UTC:
        return value
    if depth == 0:
        return other(value, convert)
    copy = None
    if kind is dict:
        while PyDict_Next(value, &position, &key, &item):
            name, held = <object>key, <object>item
            new = _copy(held, depth - 1, other, convert)
            if new is not held:
                if copy is None:
                    copy = (<dict>value).copy()
                (<dict>copy)[name] = new
    elif kind is list or kind is tuple:
        for held in value:
            new = _copy(held, depth - 1, other, convert)
            if new is not held:
                if copy is None:
                    copy = list(value)
                (<list>copy)[index] = new
            index += 1
    else:
        return other(value, convert)
    return value if copy is None else copy


def plain_copy(value, other, convert):
    """Return what `other(value, convert)` does, the `copied` of `eventtracking_core.encoding`.

    It is called for the parts of the value that are not plain.
    """
    return _copy(value, MAX_DEPTH, other, convert)


cdef Py_ssize_t _size(object value, int depth, int* values) except -2:
    """Return the size of a value; -1 if it needs a closer look."""
    cdef Py_ssize_t position = 0, total = 0, more
    cdef PyObject* key
    cdef PyObject* item
    cdef type kind = type(value)
    values[0] += 1
    if values[0] > MAX_VALUES:
        return -1
    if kind is str:
        return PyUnicode_GET_LENGTH(value) + 3
    if kind is float:
        return SCALAR_BYTES if isfinite(<double>value) else -1
    if _is_number(value):
        return SCALAR_BYTES
    if depth == 0:
        return -1
    if kind is dict:
        while PyDict_Next(value, &position, &key, &item):
            if type(<object>key) is not str:
                return -1
            more = _size(<object>item, depth - 1, values)
            if more < 0:
                return -1
            total += PyUnicode_GET_LENGTH(<object>key) + 4 + more
        return total
    if kind is list:
        for each in <list>value:
            more = _size(each, depth - 1, values)
            if more < 0:
                return -1
            total += more
        return total
    return -1


def plain_size(value):
    """Return the estimated size of a value in JSON, as `eventtracking_core.validation` defines it.

    Returns:
        -1 if the value needs a closer look.
    """
    cdef int values = 0
    return _size(value, MAX_DEPTH, &values)
