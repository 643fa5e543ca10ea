-- +goose Up

-- What a member of staff signs emails with, below their name.
ALTER TABLE people ADD COLUMN signature text NOT NULL DEFAULT '' CONSTRAINT people_signature_length CHECK (length(signature) <= 1000);

-- A submission that nothing automatic answers: a machine may have written it, or its author received too many such emails.
ALTER TABLE commands ADD COLUMN quiet boolean NOT NULL DEFAULT false;
