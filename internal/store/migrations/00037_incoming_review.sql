-- +goose Up

-- What staff need to judge an incoming mail, and who decided about it when. Of a deleted mail the row remains, without its content.
ALTER TABLE incoming_mails
    ADD COLUMN trust text NOT NULL DEFAULT '' CONSTRAINT incoming_mails_trust_known CHECK (trust IN ('', 'pass', 'fail', 'unknown')),
    ADD COLUMN trust_detail text NOT NULL DEFAULT '',
    ADD COLUMN settled_at timestamptz,
    ALTER COLUMN blob DROP NOT NULL,
    ADD CONSTRAINT incoming_mails_content_kept CHECK (blob IS NOT NULL OR status IN ('deleted', 'duplicate')),
    ADD CONSTRAINT incoming_mails_settled CHECK ((settled_by IS NULL) = (settled_at IS NULL)),
    ADD CONSTRAINT incoming_mails_deleted_by CHECK (status <> 'deleted' OR settled_by IS NOT NULL);
CREATE INDEX incoming_mails_by_status ON incoming_mails (status, id DESC);
DROP INDEX incoming_mails_quarantined;
