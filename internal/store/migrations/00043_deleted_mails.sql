-- +goose Up

-- A mail with the content of a deleted one is processed again. As a duplicate it would keep a content of which nothing becomes.
DROP INDEX incoming_mails_content;
CREATE UNIQUE INDEX incoming_mails_content ON incoming_mails (fingerprint) WHERE status NOT IN ('duplicate', 'deleted');
