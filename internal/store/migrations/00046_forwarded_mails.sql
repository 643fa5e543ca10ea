-- +goose Up

-- Whether the email that a message was forwards another one: what it quotes is what its sender passes on. An email may become several
-- messages, of which each has its own.
ALTER TABLE messages ADD COLUMN forward boolean NOT NULL DEFAULT false;
