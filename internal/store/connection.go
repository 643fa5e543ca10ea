package store

import (
	"net"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// idleTime is how long a transaction may do nothing before PostgreSQL ends it, and with it every lock that it has: a
	// process that stands still keeps others out for no longer. It is below what a request may take, so that whoever
	// changes the gate meanwhile succeeds.
	idleTime = 4 * time.Second
	// deadTime is how long a peer that answers nothing counts as alive: on either side, what is sent must be taken by then.
	deadTime  = 5 * time.Second
	probeIdle = 2 * time.Second // a connection that waits is probed after this
	probeBeat = time.Second     // and again, until deadTime is over
)

// bound limits what a process that stands still, and a host that is gone, keep from others. What a database's address
// sets itself stays. Where PostgreSQL or the system knows no such time-out, PostgreSQL ignores it.
func bound(config *pgx.ConnConfig) {
	limit(config, "idle_in_transaction_session_timeout", idleTime)
	limit(config, "tcp_user_timeout", deadTime)
	set(config, "tcp_keepalives_idle", strconv.Itoa(int(probeIdle/time.Second)))
	set(config, "tcp_keepalives_interval", strconv.Itoa(int(probeBeat/time.Second)))
	set(config, "tcp_keepalives_count", strconv.Itoa(probes))
	dialer := &net.Dialer{
		Timeout:         config.ConnectTimeout,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: probeIdle, Interval: probeBeat, Count: probes},
		Control:         limitUnanswered,
	}
	config.DialFunc = dialer.DialContext
}

const probes = int((deadTime - probeIdle) / probeBeat)

// limit sets a time-out of the connection's session, in milliseconds.
func limit(config *pgx.ConnConfig, name string, t time.Duration) {
	set(config, name, strconv.FormatInt(t.Milliseconds(), 10))
}

func set(config *pgx.ConnConfig, name, value string) {
	if _, known := config.RuntimeParams[name]; !known {
		config.RuntimeParams[name] = value
	}
}
