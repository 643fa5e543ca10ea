-- +goose Up

-- What people were told of an emergency, for good. A new one is made only when what is true of the emergency differs
-- from what the last one told, so that asking twice, or late, makes none.
CREATE TABLE announcements (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    emergency text           NOT NULL CONSTRAINT announcements_emergency REFERENCES emergencies,
    n         int            NOT NULL CONSTRAINT announcements_n_positive CHECK (n >= 1),
    tells     text           NOT NULL CONSTRAINT announcements_tells_known
                             CHECK (tells IN ('planned', 'started', 'changed', 'ended', 'cancelled')),
    stage     text           NOT NULL CONSTRAINT announcements_stage_known CHECK (stage IN ('planned', 'in-force', 'over', 'cancelled')),
    starts_at timestamptz(0) NOT NULL,
    ends_at   timestamptz(0) NOT NULL,
    seconds   bigint         NOT NULL CONSTRAINT announcements_seconds CHECK (seconds >= 0), -- how much longer targets are
    proven_at timestamptz    NOT NULL, -- up to when every open ticket was right
    revision  bigint         NOT NULL, -- of the gate, likewise
    made_at   timestamptz    NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT announcements_once UNIQUE (emergency, n)
);

-- Its mails, one a person. A newer announcement of the same emergency supersedes what is still owed.
CREATE TABLE announcement_mails (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- makes the Message-ID
    announcement  bigint      NOT NULL CONSTRAINT announcement_mails_announcement REFERENCES announcements,
    person        text        NOT NULL CONSTRAINT announcement_mails_person REFERENCES people,
    status        text        NOT NULL DEFAULT 'owed' CONSTRAINT announcement_mails_status_known
                              CHECK (status IN ('owed', 'sent', 'bounced', 'superseded')),
    reason        text,
    owed_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    settled_at    timestamptz,
    deferred_at   timestamptz, -- when a mail server put it off first
    deferrals     int         NOT NULL DEFAULT 0,
    not_before    timestamptz NOT NULL DEFAULT '-infinity',
    claimed_by    text, -- the try that is under way
    claimed_until timestamptz, -- then it counts as dead
    CONSTRAINT announcement_mails_once_a_person UNIQUE (announcement, person),
    CONSTRAINT announcement_mails_settled CHECK ((status = 'owed') = (settled_at IS NULL)),
    CONSTRAINT announcement_mails_reason_of_bounce CHECK ((status = 'bounced') = (reason IS NOT NULL)),
    CONSTRAINT announcement_mails_claim CHECK ((claimed_by IS NULL) = (claimed_until IS NULL))
);
CREATE INDEX announcement_mails_owed ON announcement_mails (not_before, id) WHERE status = 'owed';
CREATE INDEX announcement_mails_bounced ON announcement_mails (settled_at DESC) WHERE status = 'bounced';
CREATE INDEX announcement_mails_of ON announcement_mails (person);
