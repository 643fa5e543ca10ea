-- +goose Up

-- The rows of imported tickets, whose commands are decided, were kept until their tickets' next step.
DELETE FROM undelivered USING tickets WHERE tickets.number = ticket AND seq <= taken AND delivered_at IS NOT NULL;

-- +goose Down
