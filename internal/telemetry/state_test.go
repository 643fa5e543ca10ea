package telemetry_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/telemetry"
)

// database answers looks as a test wants.
type database struct {
	looks atomic.Int64
	pool  *pgxpool.Pool
	look  func(context.Context) (desk.Workload, error)

	locked bool // its tables are, and its sessions can be read
}

func (d *database) Workload(ctx context.Context) (desk.Workload, error) {
	d.looks.Add(1)
	return d.look(ctx)
}

func (d *database) DatabaseSessions(ctx context.Context) (desk.DatabaseSessions, error) {
	if d.locked {
		return desk.DatabaseSessions{Locked: desk.Waiting{Count: 2, Oldest: 4 * time.Second}}, nil
	}
	_, err := d.look(ctx)
	return desk.DatabaseSessions{}, err
}

func (d *database) PoolStats() *pgxpool.Stat { return d.pool.Stat() }

// serve serves the metrics of a database and of a Temporal that answers with an error.
func serve(t *testing.T, look func(context.Context) (desk.Workload, error), temporal error) (*database, func() string) {
	t.Helper()
	measured, scrape := measure(t)
	pool, err := pgxpool.New(t.Context(), "postgres://nowhere.invalid/desk")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	d := &database{pool: pool, look: look}
	if err := measured.ServeState(d, func(context.Context) error { return temporal }); err != nil {
		t.Fatal(err)
	}
	return d, scrape
}

// scraped returns a function that scrapes what is measured.
func scraped(t *testing.T, measured *telemetry.Telemetry) func() string {
	handler := measured.Handler()
	return func() string {
		t.Helper()
		response := httptest.NewRecorder()
		handler.ServeHTTP(response, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		if response.Code != http.StatusOK {
			t.Fatalf("%d: %s", response.Code, response.Body)
		}
		return response.Body.String()
	}
}

func has(t *testing.T, metrics string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !hasLine(metrics, line) {
			t.Errorf("%s is missing", line)
		}
	}
}

func hasLine(metrics, line string) bool { return strings.Contains(metrics, "\n"+line+"\n") }

func TestState_isReadOnceForManyScrapes(t *testing.T) {
	d, scrape := serve(t, func(context.Context) (desk.Workload, error) {
		return desk.Workload{
			Overdue:    desk.Waiting{Count: 3, Oldest: 90 * time.Second},
			Deliveries: []desk.OwedDeliveries{{Queue: "ticket", Ages: [5]int{1, 2, 0, 0, 4}, Oldest: 48 * time.Hour}},
		}, nil
	}, nil)
	for range 20 {
		has(t, scrape(), "supportdesk_database_up 1", "supportdesk_temporal_up 1", "supportdesk_due_events_overdue 3",
			"supportdesk_due_events_overdue_oldest_seconds 90", `supportdesk_deliveries_owed{age="10m",queue="ticket"} 2`,
			`supportdesk_deliveries_owed{age="older",queue="ticket"} 4`, `supportdesk_deliveries_owed_oldest_seconds{queue="ticket"} 172800`)
	}
	if n := d.looks.Load(); n > 2 { // two if the scrapes took more than five seconds
		t.Errorf("%d looks", n)
	}
}

func TestState_isLeftOutAndReportedDuringAnOutage(t *testing.T) {
	d, scrape := serve(t, func(context.Context) (desk.Workload, error) { return desk.Workload{}, errors.New("away") }, errors.New("away"))
	for range 20 {
		metrics := scrape()
		has(t, metrics, "supportdesk_database_up 0", "supportdesk_temporal_up 0", "supportdesk_database_pool_connections_max 4")
		if strings.Contains(metrics, "supportdesk_due_events_overdue") {
			t.Fatal("it has a value of a database that does not answer")
		}
	}
	if n := d.looks.Load(); n > 2 {
		t.Errorf("a database that is away was asked %d times", n)
	}
}

// In a rush the database is slow, and its backlog is what people look for.
func TestState_ofASlowDatabaseIsServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, scrape := serve(t, func(context.Context) (desk.Workload, error) {
			time.Sleep(1200 * time.Millisecond)
			return desk.Workload{Overdue: desk.Waiting{Count: 3}}, nil
		}, nil)
		for range 5 {
			has(t, scrape(), "supportdesk_database_up 1", "supportdesk_temporal_up 1", "supportdesk_due_events_overdue 3", "supportdesk_database_read_age_seconds 0")
			time.Sleep(11 * time.Second)
		}
	})
}

// A database that hangs, also beyond the end of its context, is reported in time for Prometheus, and asked only once.
func TestState_ofADatabaseThatHangsDoesNotHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		end := make(chan struct{})
		d, scrape := serve(t, func(context.Context) (desk.Workload, error) { <-end; return desk.Workload{}, nil }, nil)
		began := time.Now()
		for range 3 {
			has(t, scrape(), "supportdesk_database_up 0", "supportdesk_temporal_up 1")
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("three scrapes took %v", took)
		}
		if n := d.looks.Load(); n != 1 {
			t.Errorf("%d looks at once", n)
		}
		close(end)
		synctest.Wait()
		has(t, scrape(), "supportdesk_database_up 1")
	})
}

// Locked tables don't make the database seem down, and don't hide what waits for them.
func TestState_ofLockedTablesShowsWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, scrape := serve(t, func(ctx context.Context) (desk.Workload, error) { <-ctx.Done(); return desk.Workload{}, ctx.Err() }, nil)
		d.locked = true
		for range 10 {
			metrics := scrape()
			has(t, metrics, "supportdesk_database_up 1", "supportdesk_database_lock_waits 2", "supportdesk_database_lock_wait_oldest_seconds 4")
			if strings.Contains(metrics, "supportdesk_database_read_age_seconds") {
				t.Error("tables have an age that were never read")
			}
			time.Sleep(15 * time.Second)
		}
	})
}

func TestState_isServedForAMinuteWhileLooksFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var away error
		_, scrape := serve(t, func(context.Context) (desk.Workload, error) {
			return desk.Workload{Overdue: desk.Waiting{Count: 3}}, away
		}, nil)
		has(t, scrape(), "supportdesk_database_up 1", "supportdesk_database_read_age_seconds 0")
		away = errors.New("away")
		time.Sleep(45 * time.Second)
		has(t, scrape(), "supportdesk_database_up 0", "supportdesk_due_events_overdue 3", "supportdesk_database_read_age_seconds 45")
		time.Sleep(15 * time.Second)
		if metrics := scrape(); strings.Contains(metrics, "supportdesk_due_events_overdue") || strings.Contains(metrics, "read_age") {
			t.Error("what was read a minute ago is still served")
		}
		away = nil
		time.Sleep(15 * time.Second)
		has(t, scrape(), "supportdesk_database_up 1", "supportdesk_due_events_overdue 3")
	})
}

func TestNew_measuresNothingUnlessAsked(t *testing.T) {
	for name, c := range map[string]struct {
		env    map[string]string
		wanted bool
	}{
		"nothing is set":    {},
		"none":              {env: map[string]string{"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}},
		"disabled":          {env: map[string]string{"OTEL_SDK_DISABLED": "TRUE", "OTEL_TRACES_EXPORTER": "otlp"}},
		"an endpoint":       {env: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}, wanted: true},
		"an exporter, grpc": {env: map[string]string{"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, wanted: true},
	} {
		t.Run(name, func(t *testing.T) {
			measured, err := telemetry.New(t.Context(), telemetry.Options{Getenv: func(k string) string { return c.env[k] }, Log: slog.New(slog.DiscardHandler)})
			if err != nil || (measured != nil) != c.wanted || (measured.Traceparent() != nil) != c.wanted {
				t.Errorf("%v, %v", measured, err)
			}
			if err := measured.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
