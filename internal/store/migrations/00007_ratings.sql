-- +goose Up

-- Who had the ticket when it was rated, null: nobody. To read it from each of 100,000 tickets takes a report too long.
ALTER TABLE ratings ADD COLUMN agent text CONSTRAINT ratings_agent REFERENCES people;

-- Ratings from before this column.
UPDATE ratings r SET agent = (
    SELECT e.data->>'assignee' FROM events e
    WHERE e.ticket = r.ticket AND e.at <= r.at AND e.data ? 'assignee' ORDER BY e.n DESC LIMIT 1);

-- As it was, with all that the report counts.
DROP INDEX ratings_by_time;
CREATE INDEX ratings_by_time ON ratings (at DESC, ticket) INCLUDE (agent, score);
