-- +goose Up

-- The span in which an emergency was changed, as in commands, deliveries and incoming_mails. The notification of tickets and the
-- announcements continue it.
ALTER TABLE emergency_changes ADD COLUMN trace text;
