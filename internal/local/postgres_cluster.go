package local

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/holesalemart/supportdesk/internal/fault"
)

// cluster is the directory of a cluster: data, the passwords of its two roles, and a lock.
type cluster struct {
	dir       string
	log       io.Writer
	throwaway bool
	// set by prepare
	bin     string
	as      *account
	secrets secrets
}

// secrets are the passwords of the roles.
type secrets struct{ role, superuser string }

func (c *cluster) data() string { return filepath.Join(c.dir, "data") }

// lock waits for the orphans of a killed predecessor, which may still write to the data.
func (c *cluster) lock(ctx context.Context) (*os.File, error) {
	file, err := openLock(c.dir, "lock")
	if err == nil {
		err = restrict(c.dir, parentMode())
	}
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, orphanWait)
	defer cancel()
	if err := awaitLock(ctx, file); err != nil {
		_ = file.Close()
		return nil, fault.New(fault.Conflict, "another PostgreSQL is using %s: stop it, or choose another data directory", c.dir)
	}
	return file, nil
}

// prepare finds the program, creates the cluster if necessary, and removes the PID file of a killed server.
func (c *cluster) prepare(ctx context.Context, bin string) error {
	major, err := majorOf(c.data())
	if err != nil {
		return err
	}
	if c.as, err = accountFor(c.data()); err != nil {
		return err
	}
	if c.bin, err = findPostgres(ctx, bin, major, c.log); err != nil {
		return err
	}
	if major == 0 {
		return c.create(ctx)
	}
	password, err := os.ReadFile(c.passwordFile())
	if err != nil {
		return fault.New(fault.Conflict, "the password of %s cannot be read from %s: restore that file", c.data(), c.passwordFile())
	}
	c.secrets.role = strings.TrimSpace(string(password))
	if err := c.readSuperuser(); err != nil {
		return err
	}
	return c.clearPidFile()
}

func (c *cluster) passwordFile() string { return filepath.Join(c.dir, "password") }

func (c *cluster) superuserFile() string { return filepath.Join(c.dir, "superuser-password") }

// readSuperuser reads the password of the superuser or generates one, for clusters of older versions of up.
func (c *cluster) readSuperuser() error {
	password, err := os.ReadFile(c.superuserFile())
	if errors.Is(err, os.ErrNotExist) {
		c.secrets.superuser = rand.Text()
		return writePassword(c.superuserFile(), c.secrets.superuser)
	}
	if err != nil {
		return fmt.Errorf("read the superuser's password: %w", err)
	}
	c.secrets.superuser = strings.TrimSpace(string(password))
	return nil
}

// majorOf returns the major version of the cluster in data, 0 if there is none.
func majorOf(data string) (int, error) {
	text, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if errors.Is(err, os.ErrNotExist) {
		if entries, readErr := os.ReadDir(data); readErr == nil && len(entries) > 0 {
			return 0, fault.New(fault.Conflict, "%s is not empty and contains no PostgreSQL data: choose another directory", data)
		}
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the version of %s: %w", data, err)
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fault.New(fault.Conflict, "%s contains data of an unknown PostgreSQL version %q", data, text)
	}
	return major, nil
}

// create creates the cluster in a temporary directory and renames it when complete.
func (c *cluster) create(ctx context.Context) error {
	draft := filepath.Join(c.dir, "unfinished")
	if err := os.RemoveAll(draft); err != nil {
		return fmt.Errorf("remove an unfinished cluster: %w", err)
	}
	c.secrets = secrets{role: rand.Text(), superuser: rand.Text()}
	err := errors.Join(writePassword(c.passwordFile(), c.secrets.role), writePassword(c.superuserFile(), c.secrets.superuser))
	if err != nil {
		return err
	}
	if err := errors.Join(os.Mkdir(draft, 0o700), c.as.chown(draft)); err != nil {
		return fmt.Errorf("create data directory: %w", err)
	}
	// The encoding is always UTF-8; C.UTF-8 classifies letters beyond ASCII, but not every system has it.
	err = c.initdb(ctx, draft, "C.UTF-8")
	if err != nil && ctx.Err() == nil {
		err = c.initdb(ctx, draft, "C")
	}
	if err != nil {
		return fmt.Errorf("create cluster: %w", err)
	}
	if err := os.Rename(draft, c.data()); err != nil {
		return fmt.Errorf("put the cluster in place: %w", err)
	}
	return c.syncNames()
}

// syncNames syncs the directory to disk; the temporary directory is removed by the next start.
func (c *cluster) syncNames() error {
	dir, err := os.Open(c.dir)
	if err == nil {
		err = errors.Join(dir.Sync(), dir.Close())
	}
	if err != nil {
		return fmt.Errorf("sync %s: %w", c.dir, err)
	}
	return nil
}

// writePassword syncs a password to disk, as initdb does with the cluster, which is useless without it.
func writePassword(file, password string) error {
	if err := ReplaceFile(file, []byte(password+"\n"), true); err != nil {
		return fmt.Errorf("write password: %w", err)
	}
	return nil
}

// initdb leaves draft empty on failure.
func (c *cluster) initdb(ctx context.Context, draft, locale string) error {
	secret := draft + ".password" // readable by the user that runs initdb
	if err := os.WriteFile(secret, []byte(c.secrets.superuser), privateFile); err != nil {
		return fmt.Errorf("pass password to initdb: %w", err)
	}
	defer func() { _ = os.Remove(secret) }()
	if err := c.as.chown(secret); err != nil {
		return fmt.Errorf("pass password to initdb: %w", err)
	}
	args := []string{"-D", draft, "--username=" + superuser, "--pwfile=" + secret, "--auth=scram-sha-256",
		"--encoding=UTF8", "--locale=" + locale}
	if c.throwaway {
		args = append(args, "--no-sync")
	}
	var output bytes.Buffer
	child, err := startChild(childSpec{name: "initdb", path: filepath.Join(c.bin, "initdb"), args: args, as: c.as,
		stdout: io.Discard, log: &output, orphan: syscall.SIGKILL})
	if err != nil {
		return err
	}
	select {
	case <-child.done:
	case <-ctx.Done():
		child.Kill()
		return ctx.Err()
	}
	if child.exit != nil {
		return child.failure()
	}
	return nil
}

// clearPidFile removes the PID file of a killed server. The lock excludes our own servers, but another one may be
// running, and the PID may have been reused.
func (c *cluster) clearPidFile() error {
	path := filepath.Join(c.data(), "postmaster.pid")
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	pid = max(pid, -pid) // negative for a server in single-user mode
	if err == nil && postgresServes(pid, c.data()) {
		return fault.New(fault.Conflict, "another PostgreSQL (process %d) is using %s: stop it, or choose another data directory",
			pid, c.data())
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("remove a stale %s: %w", path, err)
	}
	return nil
}
