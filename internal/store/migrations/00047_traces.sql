-- +goose Up

-- The span, as a W3C traceparent, in which a command was accepted, a delivery was caused and an email was received; null: it is not
-- traced. Whatever goes on with them continues the trace. Spans contain no text that people wrote.
ALTER TABLE commands ADD COLUMN trace text;
ALTER TABLE deliveries ADD COLUMN trace text;
ALTER TABLE incoming_mails ADD COLUMN trace text;
