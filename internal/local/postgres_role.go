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
	role      = "supportdesk" // owns the databases and may log in; no other rights
	superuser = "postgres"    // creates them

	invalidPassword       = "28P01" // also if the role does not exist
	insufficientPrivilege = "42501"
	duplicateDatabase     = "42P04"
)

var errPasswords = fault.New(fault.Conflict, "PostgreSQL rejects the passwords stored with its data: restore those files")

func hasCode(err error, code string) bool {
	refused, ok := errors.AsType[*pgconn.PgError](err)
	return ok && refused.Code == code
}

// ensureRoles creates the role that owns the databases. In a cluster of an older version of up, where that role was the
// superuser, it creates a separate superuser.
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
		return fmt.Errorf("look up role %s: %w", role, err)
	}
	if !exists {
		if _, err := conn.Exec(ctx, "CREATE ROLE "+role+" LOGIN PASSWORD '"+p.secrets.role+"'"); err != nil {
			return fmt.Errorf("create role %s: %w", role, err)
		}
	}
	asRole, err := pgx.Connect(ctx, p.DSN("postgres"))
	if hasCode(err, invalidPassword) {
		return errPasswords
	}
	if err != nil {
		return fmt.Errorf("connect as %s: %w", role, err)
	}
	return asRole.Close(ctx)
}

// demoteRole renames the superuser created by initdb and recreates the role without its rights, atomically. PostgreSQL
// neither demotes that superuser nor lets a session rename its own user, so a temporary one does it.
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
	if hasCode(err, insufficientPrivilege) { // not a superuser: the other password file is wrong or was lost
		return errPasswords
	}
	if err != nil {
		return fmt.Errorf("demote superuser %s: %w", role, err)
	}
	return nil
}

// EnsureDatabase creates an empty database if it does not exist, and returns the DSN for its owner. A database that an
// older version of up created for the superuser changes its owner.
func (p *Postgres) EnsureDatabase(ctx context.Context, database string) (string, error) {
	name := pgx.Identifier{database}.Sanitize()
	err := p.asSuperuser(ctx, "postgres", "CREATE DATABASE "+name+" OWNER "+role)
	if hasCode(err, duplicateDatabase) {
		err = p.asSuperuser(ctx, database, handOver+"ALTER DATABASE "+name+" OWNER TO "+role)
	}
	if err != nil {
		return "", fmt.Errorf("create database %s: %w", database, err)
	}
	return p.DSN(database), nil
}

// handOver makes the role the owner of all objects that the superuser owns in a database, except those of PostgreSQL
// itself. Sequences of columns follow their tables. REASSIGN OWNED rejects the bootstrap superuser.
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

// asSuperuser executes statements in a database, several of them in one transaction.
func (p *Postgres) asSuperuser(ctx context.Context, database, statements string) error {
	conn, err := pgx.Connect(ctx, p.SuperuserDSN(database))
	if err != nil {
		return fmt.Errorf("connect as PostgreSQL's superuser: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	_, err = conn.Exec(ctx, statements)
	return err
}
