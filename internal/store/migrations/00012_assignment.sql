-- +goose Up

-- Groups of agents that assignment rules give tickets to. A policy names a group by its handle, and a published policy
-- never changes, so neither does a handle. The group of all agents, everyone, needs no row.
CREATE TABLE agent_groups (
    handle  text        PRIMARY KEY CONSTRAINT agent_groups_handle_shape CHECK (handle ~ '^[a-z][a-z0-9-]{0,39}$' AND handle <> 'everyone'),
    title   text        NOT NULL CONSTRAINT agent_groups_title_length CHECK (length(title) BETWEEN 1 AND 100),
    made_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE group_members (
    group_handle text NOT NULL CONSTRAINT group_members_group REFERENCES agent_groups ON DELETE CASCADE,
    person       text NOT NULL CONSTRAINT group_members_person REFERENCES people,
    CONSTRAINT group_members_pkey PRIMARY KEY (group_handle, person)
);
CREATE INDEX group_members_of ON group_members (person);

-- Which of a group's choices fell on somebody last. Whoever leaves a group and comes back takes up where they were. A
-- step writes it with the assignment, under the advisory lock that all choices share.
CREATE TABLE group_turns (
    group_handle text   NOT NULL,
    person       text   NOT NULL CONSTRAINT group_turns_person REFERENCES people,
    turn         bigint NOT NULL CONSTRAINT group_turns_positive CHECK (turn > 0),
    CONSTRAINT group_turns_pkey PRIMARY KEY (group_handle, person),
    CONSTRAINT group_turns_once UNIQUE (group_handle, turn)
);

-- Who is away is given nothing by rule until an instant, infinity until they say so. Nothing has to happen then: they
-- are back because it has passed.
ALTER TABLE people
    ADD COLUMN away_since timestamptz,
    ADD COLUMN away_until timestamptz,
    ADD CONSTRAINT people_away_both CHECK ((away_since IS NULL) = (away_until IS NULL)),
    ADD CONSTRAINT people_away_of_staff CHECK (away_since IS NULL OR role <> 'customer'),
    ADD CONSTRAINT people_away_ends_after_start CHECK (away_until > away_since);
