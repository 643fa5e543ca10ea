package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// tokenPrefix lets secret scanners recognise a leaked token.
const tokenPrefix = "sd_"

// IssueToken creates a bearer token for a person who is not disabled. Only its SHA-256 is stored, which suffices for
// 256 random bits, so this is the only time the token can be read. It is for operators who hand it over with a new
// account; otherwise use IssueTokenAndNotify.
func (s *Store) IssueToken(ctx context.Context, id ticket.PersonID, label string) (token string, err error) {
	return s.issueToken(ctx, id, label, false)
}

// IssueTokenAndNotify is IssueToken with a mail about it to the owner.
func (s *Store) IssueTokenAndNotify(ctx context.Context, id ticket.PersonID, label string) (token string, err error) {
	return s.issueToken(ctx, id, label, true)
}

func (s *Store) issueToken(ctx context.Context, id ticket.PersonID, label string, notify bool) (token string, err error) {
	token = newToken()
	err = s.within(ctx, func(tx pgx.Tx) error {
		p, err := s.person(ctx, tx, `disabled_at IS NULL AND id = $1`, string(id))
		if err != nil {
			return err
		}
		return s.addToken(ctx, tx, newTokenRow{hash: digest(token), owner: p, label: label, writes: true, notify: notify})
	})
	if err != nil {
		return "", explain(err, "issue a token to %s", id)
	}
	return token, nil
}

type newTokenRow struct {
	hash   []byte
	owner  desk.Person
	actor  ticket.PersonID // empty for an operator
	key    string
	label  string
	writes bool
	notify bool // add a mail to the owner
}

// addToken stores the hash of a token and a mail to its owner if notify is set, and records the event.
func (s *Store) addToken(ctx context.Context, tx pgx.Tx, t newTokenRow) error {
	scopes, may := []string{"read"}, "reads"
	if t.writes {
		scopes, may = append(scopes, "write"), "reads and writes"
	}
	if _, err := tx.Exec(ctx, `
		WITH made AS (
			INSERT INTO tokens (hash, person, once, label, scopes) VALUES (@hash, @id, nullif(@once, ''), @label, @scopes) RETURNING id
		), owed AS (
			INSERT INTO deliveries (queue, kind, name, address, token, expires_at, trace)
			SELECT 'account', 'token-made', @name, @address, made.id, clock_timestamp() + @lasts, nullif(@trace, '') FROM made WHERE @tells
		)
		SELECT pg_notify('deliveries', '')`,
		pgx.StrictNamedArgs{"hash": t.hash, "id": t.owner.ID, "once": t.key, "label": t.label, "scopes": scopes,
			"name": t.owner.Name, "address": t.owner.Address, "tells": t.notify, "lasts": noticeLifetime, "trace": s.traceOf(ctx)}); err != nil {
		return err
	}
	return record(ctx, tx, account.Event{Kind: account.EventTokenCreated, Person: t.owner.ID, Actor: t.actor, Detail: t.label + ", " + may})
}

func newToken() string {
	var secret [32]byte
	rand.Read(secret[:]) // never fails since Go 1.24
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(secret[:])
}

// RevokeTokens revokes all valid tokens of a person and returns how many there were.
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

// ByToken returns the owner of a token and records, to the minute, that it was used. It returns Unauthenticated if the
// token is unknown or revoked or its owner is disabled, without saying which, and Forbidden if writes is set and the
// token is read-only.
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
	case err != nil:
		return desk.Person{}, explain(missing(err, fault.New(fault.Unauthenticated, "the token is not valid")), "look up a token")
	case writes && !may:
		return desk.Person{}, fault.New(fault.Forbidden, "this token only reads")
	case !noted:
		_, err = s.pool.Exec(ctx, `UPDATE tokens SET last_used_at = clock_timestamp() WHERE hash = $1`, hash)
	}
	return p, explain(err, "record a token's use")
}

func digest(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}
