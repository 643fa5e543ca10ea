-- +goose Up

-- Files of messages. The bytes are in the blob store, under keys that it chose.
CREATE TABLE files (
    id          text        NOT NULL CONSTRAINT files_id_shape CHECK (id ~ '^F-[0-9A-HJKMNP-TV-Z]{26}$'),
    message     bigint      CONSTRAINT files_message REFERENCES messages, -- null: uploaded, and not sent with a message yet
    position    int         CONSTRAINT files_position_positive CHECK (position >= 1), -- among the message's files
    uploaded_by text        NOT NULL CONSTRAINT files_uploaded_by REFERENCES people,
    name        text        NOT NULL CONSTRAINT files_name_length CHECK (octet_length(name) BETWEEN 1 AND 1024),
    size        bigint      NOT NULL CONSTRAINT files_size_not_negative CHECK (size >= 0),
    type        text        NOT NULL CONSTRAINT files_type_length CHECK (octet_length(type) BETWEEN 1 AND 255), -- by content
    sha256      bytea       NOT NULL CONSTRAINT files_sha256_length CHECK (octet_length(sha256) = 32),
    blob        text,       -- null: deleted
    preview     text,       -- blob of a smaller image; null: none
    width       int,        -- of the preview, in pixels
    height      int,
    content_id  text        CONSTRAINT files_content_id_length CHECK (octet_length(content_id) BETWEEN 1 AND 998), -- in its email
    inline      boolean     NOT NULL DEFAULT false, -- shown within its email's text
    alt         text        NOT NULL DEFAULT '' CONSTRAINT files_alt_length CHECK (length(alt) <= 500), -- describes an image
    uploaded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    deleted_at  timestamptz,
    deleted_by  text        CONSTRAINT files_deleted_by REFERENCES people,
    CONSTRAINT files_pkey PRIMARY KEY (id),
    CONSTRAINT files_position_of_message CHECK ((message IS NULL) = (position IS NULL)),
    CONSTRAINT files_preview_of_image CHECK (preview IS NULL OR (width >= 1 AND height >= 1)),
    CONSTRAINT files_deleted CHECK ((deleted_at IS NULL) = (deleted_by IS NULL) AND (deleted_at IS NULL) = (blob IS NOT NULL)
        AND (deleted_at IS NULL OR (message IS NOT NULL AND preview IS NULL)))
);
CREATE UNIQUE INDEX files_of_message ON files (message, position) WHERE message IS NOT NULL;
CREATE INDEX files_unattached ON files (uploaded_at) WHERE message IS NULL;
-- The sweep of the blob store looks for the files that name a blob.
CREATE UNIQUE INDEX files_blob ON files (blob) WHERE blob IS NOT NULL;
CREATE UNIQUE INDEX files_preview ON files (preview) WHERE preview IS NOT NULL;
