"""Name the sheets, in the order in which they stand."""

from enum import StrEnum


class Title(StrEnum):
    """Name a sheet; the order is that of the work, and then of looking things up."""

    SUMMARY = "Summary"
    UNUSED = "Unused users"
    CHANGES = "Changes"
    FINDINGS = "Findings"
    CONTROLS = "Controls"
    EVERYBODY = "All users"
    ROOTS = "Root users"
    EXEMPT = "Exempt"
    EXEMPTIONS = "Exemption list"
    UNDETERMINED = "Undetermined"
    METHOD = "Method"
