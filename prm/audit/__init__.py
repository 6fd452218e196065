"""The append-only record of who did what. Other apps call `audit.record(...)` and nothing else."""

from prm.audit.recording import record as record
