CREATE TABLE usage_events (
    key TEXT PRIMARY KEY CHECK (length(key) <= 64),
    customer TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    at TEXT NOT NULL
);
