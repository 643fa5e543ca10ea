package store_test

import (
	"net"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/pgtest"
	"github.com/holesalemart/supportdesk/internal/store"
)

func TestBound_limitsBothSidesAndLeavesWhatTheAddressSays(t *testing.T) {
	config, err := pgx.ParseConfig(pgtest.DSN(t))
	if err != nil {
		t.Fatal(err)
	}
	config.RuntimeParams["tcp_keepalives_count"] = "7"
	store.Bound(config)
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	socket, isTCP := conn.PgConn().Conn().(*net.TCPConn)
	if !isTCP {
		t.Fatalf("connected by %T", conn.PgConn().Conn())
	}
	for name, want := range map[string]string{
		"idle_in_transaction_session_timeout": "4s", "tcp_user_timeout": "5000",
		"tcp_keepalives_idle": "2", "tcp_keepalives_interval": "1", "tcp_keepalives_count": "7",
	} {
		var got string
		if err := conn.QueryRow(t.Context(), "SHOW "+name).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %s on PostgreSQL's side, want %s: %v", name, got, want, err)
		}
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for name, option := range map[string]struct{ number, want int }{
		"TCP_USER_TIMEOUT": {0x12, 5000}, "TCP_KEEPIDLE": {syscall.TCP_KEEPIDLE, 2},
		"TCP_KEEPINTVL": {syscall.TCP_KEEPINTVL, 1}, "TCP_KEEPCNT": {syscall.TCP_KEEPCNT, 3},
	} {
		var got int
		var failed error
		if err := raw.Control(func(fd uintptr) { got, failed = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, option.number) }); err != nil {
			t.Fatal(err)
		}
		if failed != nil || got != option.want {
			t.Errorf("%s is %d on our side, want %d: %v", name, got, option.want, failed)
		}
	}
}
