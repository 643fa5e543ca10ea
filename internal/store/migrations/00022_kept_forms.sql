-- +goose Up

-- Forms that arrived after their writer's session had ended. They are shown again in the same browser, to the same
-- person only, and go after a day or when the form is accepted.
CREATE TABLE kept_forms (
    browser    bytea       NOT NULL CONSTRAINT kept_forms_browser_length CHECK (length(browser) = 32), -- SHA-256 of its cookie
    person     text        NOT NULL CONSTRAINT kept_forms_person REFERENCES people ON DELETE CASCADE,
    form       bytea       NOT NULL CONSTRAINT kept_forms_form_length CHECK (length(form) = 32), -- SHA-256 of action and page, which may be long
    action     text        NOT NULL, -- the path that it was sent to
    page       text        NOT NULL, -- the address that it was written on
    fields     text        NOT NULL CONSTRAINT kept_forms_bounded CHECK (octet_length(fields) <= 1310720), -- as a query; no passwords
    kept_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT kept_forms_pkey PRIMARY KEY (browser, person, form)
);
CREATE INDEX kept_forms_of_person ON kept_forms (person, kept_at);
CREATE INDEX kept_forms_by_time ON kept_forms (kept_at);
