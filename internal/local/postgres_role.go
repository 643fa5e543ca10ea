package local

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/holesalemart/supportdesk/internal/fault"
)

const (
	role      = "supportdesk" // owns its databases and may log in, no more
	superuser = "postgres"    // makes them

	invalidPassword       = "28P01" // also where there is no such role
	insufficientPrivilege = "42501"
	duplicateDatabase     = "42P04"
)

var errPasswords = fault.New(fault.Conflict, "PostgreSQL does not take the passwords kept beside its data: restore those files")

func hasCode(err error, code string) bool {
	refused, ok := errors.AsType[*pgconn.PgError](err)
	return ok && refused.Code == code
}

// ensureRoles makes the role that owns the databases, and in a cluster of an older up, where that one was the
// superuser, a superuser beside it.
func (p *Postgres) ensureRoles(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, p.SuperuserDSN("postgres"))
	if hasCode(err, invalidPassword) {
		if err := p.demoteRole(ctx); err != nil {
			return err
		}
		conn, err = pgx.Connect(ctx, p.SuperuserDSN("postgres"))
	}
	if err != nil {
		return fmt.Errorf("connect as PostgreSQL's superuser: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	var exists bool
	if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", role).Scan(&exists); err != nil {
		return fmt.Errorf("look for the role %s: %w", role, err)
	}
	if !exists {
		if _, err := conn.Exec(ctx, "CREATE ROLE "+role+" LOGIN PASSWORD '"+p.secrets.role+"'"); err != nil {
			return fmt.Errorf("make the role %s: %w", role, err)
		}
	}
	own, err := pgx.Connect(ctx, p.DSN("postgres"))
	if hasCode(err, invalidPassword) {
		return errPasswords
	}
	if err != nil {
		return fmt.Errorf("connect as %s: %w", role, err)
	}
	return own.Close(ctx)
}

// demoteRole renames the superuser that initdb has made and makes the role anew without its rights, at once or not at
// all. PostgreSQL neither demotes that superuser nor lets a session rename its own user, so another stands in.
func (p *Postgres) demoteRole(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, p.DSN("postgres"))
	if hasCode(err, invalidPassword) {
		return errPasswords
	}
	if err != nil {
		return fmt.Errorf("connect as the superuser of an older up: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	_, err = conn.Exec(ctx, `BEGIN;
		CREATE ROLE stand_in SUPERUSER;
		SET LOCAL SESSION AUTHORIZATION stand_in;
		ALTER ROLE `+role+` RENAME TO `+superuser+`;
		ALTER ROLE `+superuser+` PASSWORD '`+p.secrets.superuser+`';
		CREATE ROLE `+role+` LOGIN PASSWORD '`+p.secrets.role+`';
		SET LOCAL SESSION AUTHORIZATION `+superuser+`;
		DROP ROLE stand_in;
		COMMIT`)
	if hasCode(err, insufficientPrivilege) { // it is no superuser: the other file is wrong or was lost
		return errPasswords
	}
	if err != nil {
		return fmt.Errorf("take the superuser's rights from %s: %w", role, err)
	}
	return nil
}

// EnsureDatabase makes an empty database when there is none of that name, and returns the DSN for its owner. One that
// an older up made for the superuser changes hands with all that is in it.
func (p *Postgres) EnsureDatabase(ctx context.Context, database string) (string, error) {
	name := pgx.Identifier{database}.Sanitize()
	err := p.asSuperuser(ctx, "postgres", "CREATE DATABASE "+name+" OWNER "+role)
	if hasCode(err, duplicateDatabase) {
		err = p.asSuperuser(ctx, database, handOver+"ALTER DATABASE "+name+" OWNER TO "+role)
	}
	if err != nil {
		return "", fmt.Errorf("make database %s: %w", database, err)
	}
	return p.DSN(database), nil
}

// handOver makes the role the owner of what the superuser owns in a database, but for what PostgreSQL itself has put there. Sequences
// of columns follow their tables. REASSIGN OWNED refuses the first superuser.
const handOver = `DO $$
	DECLARE statement text;
	BEGIN
		FOR statement IN
			SELECT format('ALTER %s %s OWNER TO ` + role + `', kind, name) FROM (
				SELECT 'TABLE', c.oid::regclass::text, c.relowner, c.relnamespace FROM pg_class c WHERE c.relkind IN ('r', 'p')
				UNION ALL
				SELECT 'ROUTINE', f.oid::regprocedure::text, f.proowner, f.pronamespace FROM pg_proc f
			) AS own (kind, name, owner, namespace)
			WHERE owner = '` + superuser + `'::regrole AND namespace = 'public'::regnamespace
		LOOP
			EXECUTE statement;
		END LOOP;
	END $$;
	`

// asSuperuser runs statements in a database, several of them in one transaction.
func (p *Postgres) asSuperuser(ctx context.Context, database, statements string) error {
	conn, err := pgx.Connect(ctx, p.SuperuserDSN(database))
	if err != nil {
		return fmt.Errorf("connect as PostgreSQL's superuser: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	_, err = conn.Exec(ctx, statements)
	return err
}
