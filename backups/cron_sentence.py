"""A cron line in plain English, as crontab(5) reads it. Pure.

In: five fields that are a schedule. Out: a sentence without its zone: "at 03:15 on Monday to Friday".
"""

from __future__ import annotations

DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    *("", "January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
MOST_TIMES = 6


def sentence(line: str) -> str:
    """When it runs; a line of an older form is given back as it is."""
    try:
        minute, hour, day, month, weekday = line.split()
        return " ".join(filter(None, (_times(minute, hour), _days(day, weekday), _months(month))))
    except (ValueError, IndexError, StopIteration):
        return line


def _times(minute: str, hour: str) -> str:
    minutes, hours = (field.split(",") for field in (minute, hour))
    if all(map(str.isdigit, [*minutes, *hours])) and len(minutes) * len(hours) <= MOST_TIMES:
        return f"at {_listed([f'{int(h):02}:{int(m):02}' for h in hours for m in minutes])}"
    past = f"every {_every(minute)} minutes" if _every(minute) else f"at minute {_field(minute)}"
    if hour == "*":
        return past if _every(minute) else f"{past} of every hour"
    if _every(hour):
        return f"{past} of every {_ordinal(int(_every(hour)))} hour from midnight"
    return f"{past} of {'hours' if not hour.isdigit() else 'hour'} {_field(hour)}"


def _days(day: str, weekday: str) -> str:
    """Where both are given, either is enough."""
    of_month = f"on every {_ordinal(int(_every(day)))} day of the month from the first" if _every(day) else ""
    of_month = of_month or ("" if day == "*" else f"on day {_field(day)} of the month")
    of_week = "" if weekday == "*" else f"on {_field(weekday, DAYS)}"
    return " or ".join(filter(None, (of_month, of_week))) or "every day"


def _months(month: str) -> str:
    return "" if month == "*" else f"in {_field(month, MONTHS)}"


def _every(field: str) -> str:
    """The step of `*/n`, else nothing."""
    return field.removeprefix("*/") if field.startswith("*/") and field != "*/1" else ""


def _field(field: str, names: tuple[str, ...] = ()) -> str:
    return _listed([_item(item, names) for item in field.split(",")])


def _item(item: str, names: tuple[str, ...]) -> str:
    """One value, a range, or steps through one."""
    span, slash, step = item.partition("/")
    first, dash, last = span.partition("-")
    if span == "*":
        text = "any" if not names else f"any {'month' if names is MONTHS else 'day'}"
    else:
        text = f"{_name(first, names)} to {_name(last, names)}" if dash else _name(first, names)
    return f"{text}, each {_ordinal(int(step))}" if slash else text


def _name(value: str, names: tuple[str, ...]) -> str:
    """A number or a three-letter name."""
    if not names:
        return str(int(value))
    if value.isdigit():
        return names[int(value)]
    return next(name for name in names if name[:3].lower() == value.lower())


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _ordinal(number: int) -> str:
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
