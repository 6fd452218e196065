"""Write log lines as text for people and as JSON for machines. One event is always one line, whatever its message contains."""

import json
import logging
from datetime import UTC, datetime

# Without these a name typed by a stranger could forge a second log line or colour a terminal.
_ESCAPES = {code: f"\\x{code:02x}" for code in (*range(32), 127)}
_ESCAPES_BUT_NEWLINE = {code: text for code, text in _ESCAPES.items() if code not in (9, 10)}


class TextFormatter(logging.Formatter):
    """Format as `level logger: message`, with control characters made visible."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line, followed by the traceback when there is one."""
        line = f"{record.levelname.lower()} {record.name}: {record.getMessage()}".translate(_ESCAPES)
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info).translate(_ESCAPES_BUT_NEWLINE)
        return line


class JsonFormatter(logging.Formatter):
    """Format as one JSON object on one line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the event as JSON."""
        event = {
            "at": datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            event["traceback"] = self.formatException(record.exc_info)
        return json.dumps(event, ensure_ascii=True)
