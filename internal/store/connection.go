package store

import (
	"net"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// idleTimeout is how long a transaction may do nothing before PostgreSQL ends it, and with it every lock that it has: a
	// process that stands still keeps others out for no longer. It is below what a request may take, so that whoever
	// changes the gate meanwhile succeeds.
	idleTimeout = 4 * time.Second
	// peerTimeout is how long a peer that answers nothing counts as alive: on either side, what is sent must be taken by then.
	peerTimeout       = 5 * time.Second
	keepaliveIdle     = 2 * time.Second // a connection that waits is probed after this
	keepaliveInterval = time.Second     // and again, until peerTimeout is over
)

// setTimeouts limits what a process that stands still, and a host that is gone, keep from others. What a database's address
// sets itself stays. Where PostgreSQL or the system knows no such time-out, PostgreSQL ignores it.
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

// setTimeout sets a time-out of the connection's session, in milliseconds.
func setTimeout(config *pgx.ConnConfig, name string, t time.Duration) {
	setDefault(config, name, strconv.FormatInt(t.Milliseconds(), 10))
}

func setDefault(config *pgx.ConnConfig, name, value string) {
	if _, known := config.RuntimeParams[name]; !known {
		config.RuntimeParams[name] = value
	}
}
