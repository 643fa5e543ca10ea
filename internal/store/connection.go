package store

import (
	"net"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// idleTimeout is how long a transaction may be idle before PostgreSQL ends it and releases its locks, so that a process
	// that hangs blocks others for no longer. It is shorter than a request's time-out, so that a change of the emergency
	// schedule made meanwhile succeeds.
	idleTimeout = 4 * time.Second
	// peerTimeout is how long data may remain unacknowledged, in either direction, before the connection counts as dead.
	peerTimeout       = 5 * time.Second
	keepaliveIdle     = 2 * time.Second // before an idle connection is probed
	keepaliveInterval = time.Second     // between probes, until peerTimeout is over
)

// setTimeouts limits how long a process that hangs, or a host that is gone, holds connections and locks. Settings of the
// database's address take precedence. PostgreSQL ignores time-outs that its system doesn't support.
func setTimeouts(config *pgx.ConnConfig) {
	setTimeout(config, "idle_in_transaction_session_timeout", idleTimeout)
	setTimeout(config, "tcp_user_timeout", peerTimeout)
	setDefault(config, "tcp_keepalives_idle", strconv.Itoa(int(keepaliveIdle/time.Second)))
	setDefault(config, "tcp_keepalives_interval", strconv.Itoa(int(keepaliveInterval/time.Second)))
	setDefault(config, "tcp_keepalives_count", strconv.Itoa(keepaliveCount))
	dialer := &net.Dialer{
		Timeout:         config.ConnectTimeout,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: keepaliveIdle, Interval: keepaliveInterval, Count: keepaliveCount},
		Control:         limitUnanswered,
	}
	config.DialFunc = dialer.DialContext
}

const keepaliveCount = int((peerTimeout - keepaliveIdle) / keepaliveInterval)

// setTimeout sets a time-out of the session, in milliseconds, unless the address sets it.
func setTimeout(config *pgx.ConnConfig, name string, t time.Duration) {
	setDefault(config, name, strconv.FormatInt(t.Milliseconds(), 10))
}

// setDefault sets a parameter of the session unless the address sets it.
func setDefault(config *pgx.ConnConfig, name, value string) {
	if _, known := config.RuntimeParams[name]; !known {
		config.RuntimeParams[name] = value
	}
}
