-- +goose Up

-- What a message is written in. Messages of earlier versions are plain text. The default is constant, so no row is rewritten.
ALTER TABLE messages ADD COLUMN format text NOT NULL DEFAULT 'text' CONSTRAINT messages_format CHECK (format IN ('text', 'markdown'));
