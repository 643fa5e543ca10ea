package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// tokenPrefix lets a scanner recognise a token that leaked.
const tokenPrefix = "sd_"

// IssueToken makes a bearer token for somebody who is not disabled. Only its SHA-256 is kept, which is enough for 256
// random bits: this is the one time that it can be read. It is for an operator who hands it over with a new account; of any
// other token its owner is told, see IssueTokenAndTell.
func (s *Store) IssueToken(ctx context.Context, id ticket.PersonID, label string) (token string, err error) {
	return s.issueToken(ctx, id, label, false)
}

// IssueTokenAndTell is IssueToken, and owes the token's owner a mail about it.
func (s *Store) IssueTokenAndTell(ctx context.Context, id ticket.PersonID, label string) (token string, err error) {
	return s.issueToken(ctx, id, label, true)
}

func (s *Store) issueToken(ctx context.Context, id ticket.PersonID, label string, tells bool) (token string, err error) {
	token = newToken()
	err = s.within(ctx, func(tx pgx.Tx) error {
		p, err := s.person(ctx, tx, `disabled_at IS NULL AND id = $1`, string(id))
		if err != nil {
			return err
		}
		return addToken(ctx, tx, newTokenRow{hash: digest(token), owner: p, label: label, writes: true, notify: tells})
	})
	if err != nil {
		return "", explain(err, "issue a token to %s", id)
	}
	return token, nil
}

type newTokenRow struct {
	hash   []byte
	owner  desk.Person
	actor  ticket.PersonID // empty: an operator
	key    string
	label  string
	writes bool
	notify bool // its owner
}

// addToken keeps a token's hash, owes its owner a mail about it if they are to be told, and records it.
func addToken(ctx context.Context, tx pgx.Tx, t newTokenRow) error {
	scopes, may := []string{"read"}, "reads"
	if t.writes {
		scopes, may = append(scopes, "write"), "reads and writes"
	}
	if _, err := tx.Exec(ctx, `
		WITH made AS (
			INSERT INTO tokens (hash, person, once, label, scopes) VALUES (@hash, @id, nullif(@once, ''), @label, @scopes) RETURNING id
		), owed AS (
			INSERT INTO deliveries (queue, kind, name, address, token, expires_at)
			SELECT 'account', 'token-made', @name, @address, made.id, clock_timestamp() + @lasts FROM made WHERE @tells
		)
		SELECT pg_notify('deliveries', '')`,
		pgx.StrictNamedArgs{"hash": t.hash, "id": t.owner.ID, "once": t.key, "label": t.label, "scopes": scopes,
			"name": t.owner.Name, "address": t.owner.Address, "tells": t.notify, "lasts": noticeLasts}); err != nil {
		return err
	}
	return record(ctx, tx, account.Event{Kind: account.EventTokenCreated, Person: t.owner.ID, Actor: t.actor, Detail: t.label + ", " + may})
}

func newToken() string {
	var secret [32]byte
	rand.Read(secret[:]) // never fails since Go 1.24
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(secret[:])
}

// RevokeTokens makes every token of a person stop working, and counts those that still did.
func (s *Store) RevokeTokens(ctx context.Context, id ticket.PersonID) (ended int64, err error) {
	err = s.within(ctx, func(tx pgx.Tx) error {
		if ended, err = endTokens(ctx, tx, id); err != nil || ended == 0 {
			return err
		}
		return record(ctx, tx, account.Event{Kind: account.EventTokenRevoked, Person: id, Detail: "all"})
	})
	return ended, explain(err, "revoke the tokens of %s", id)
}

func endTokens(ctx context.Context, q querier, id ticket.PersonID) (int64, error) {
	tag, err := q.Exec(ctx, `UPDATE tokens SET revoked_at = clock_timestamp() WHERE person = $1 AND revoked_at IS NULL`, id)
	return tag.RowsAffected(), err
}

// ByToken gives whoever a token belongs to, and notes to the minute that it was used. It is Unauthenticated when it is
// unknown, revoked, or theirs who has been disabled, and doesn't say which; Forbidden when something is to be written
// and it only reads.
func (s *Store) ByToken(ctx context.Context, token string, writes bool) (p desk.Person, err error) {
	var may, noted bool
	hash := digest(token)
	err = s.pool.QueryRow(ctx, `
		SELECT p.id, p.role, p.name, p.address, coalesce(p.handle, ''), 'write' = ANY (t.scopes),
			coalesce(t.last_used_at > clock_timestamp() - interval '1 minute', false)
		FROM tokens t JOIN people p ON p.id = t.person
		WHERE t.hash = $1 AND t.revoked_at IS NULL AND p.disabled_at IS NULL`, hash).
		Scan(&p.ID, &p.Role, &p.Name, &p.Address, &p.Handle, &may, &noted)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return desk.Person{}, fault.New(fault.Unauthenticated, "the token is not valid")
	case err != nil:
		return desk.Person{}, explain(err, "look up a token")
	case writes && !may:
		return desk.Person{}, fault.New(fault.Forbidden, "this token only reads")
	case !noted:
		_, err = s.pool.Exec(ctx, `UPDATE tokens SET last_used_at = clock_timestamp() WHERE hash = $1`, hash)
	}
	return p, explain(err, "note a token's use")
}

func digest(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}
