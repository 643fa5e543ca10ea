-- +goose Up

-- Everything that a person writes spends a use of an allowance, so a row is updated in place: no index holds what changes.
DROP INDEX allowances_free;
ALTER TABLE allowances SET (fillfactor = 50);
