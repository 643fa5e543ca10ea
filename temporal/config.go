package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/common/membership/static"
	"go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/common/primitives"
	sqliteschema "go.temporal.io/server/schema/sqlite"
	"google.golang.org/protobuf/types/known/durationpb"
)

const (
	clusterName   = "active"
	historyShards = 4 // fixed for the life of a database
	retention     = 30 * 24 * time.Hour
	unthrottled   = 1_000_000 // requests a second: one desk on one machine is never refused
)

// portSet holds the gRPC ports of the four services, all on 127.0.0.1.
type portSet struct{ frontend, history, matching, worker int }

// choosePorts checks that the wanted ports are free and picks the inner ones. All are held open together, so
// that no two are the same.
func choosePorts(frontend, ui int) (portSet, error) {
	wanted := []int{frontend, 0, 0, 0}
	if ui != 0 {
		wanted = append(wanted, ui)
	}
	got := make([]int, len(wanted))
	for i, port := range wanted {
		listener, err := net.Listen("tcp", net.JoinHostPort(loopback, strconv.Itoa(port)))
		if err != nil {
			return portSet{}, fmt.Errorf("port %d is in use", port)
		}
		defer func() { _ = listener.Close() }()
		got[i] = listener.Addr().(*net.TCPAddr).Port
	}
	return portSet{frontend: got[0], history: got[1], matching: got[2], worker: got[3]}, nil
}

// hosts names every service's only host. Gossip would look for the dead ports of a killed predecessor.
func (p portSet) hosts() map[primitives.ServiceName]static.Hosts {
	host := func(port int) static.Hosts {
		return static.SingleLocalHost(net.JoinHostPort(loopback, strconv.Itoa(port)))
	}
	return map[primitives.ServiceName]static.Hosts{
		primitives.FrontendService: host(p.frontend),
		primitives.HistoryService:  host(p.history),
		primitives.MatchingService: host(p.matching),
		primitives.WorkerService:   host(p.worker),
	}
}

func (p portSet) services() map[string]config.Service {
	service := func(port int) config.Service {
		return config.Service{RPC: config.RPC{GRPCPort: port, BindOnIP: loopback}}
	}
	return map[string]config.Service{
		string(primitives.FrontendService): service(p.frontend),
		string(primitives.HistoryService):  service(p.history),
		string(primitives.MatchingService): service(p.matching),
		string(primitives.WorkerService):   service(p.worker),
	}
}

func serverConfig(db string, ports portSet) *config.Config {
	frontend := net.JoinHostPort(loopback, strconv.Itoa(ports.frontend))
	return &config.Config{
		Global: config.Global{Membership: config.Membership{BroadcastAddress: loopback}},
		Persistence: config.Persistence{
			DefaultStore:     sqlite.PluginName,
			VisibilityStore:  sqlite.PluginName,
			NumHistoryShards: historyShards,
			DataStores:       map[string]config.DataStore{sqlite.PluginName: {SQL: sqlConfig(db, "wal", "normal")}},
		},
		ClusterMetadata: &cluster.Config{
			FailoverVersionIncrement: 10,
			MasterClusterName:        clusterName,
			CurrentClusterName:       clusterName,
			ClusterInformation: map[string]cluster.ClusterInformation{
				clusterName: {Enabled: true, InitialFailoverVersion: 1, RPCAddress: frontend},
			},
		},
		DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
		Services:            ports.services(),
		PublicClient:        config.PublicClient{HostPort: frontend},
		Archival: config.Archival{
			History:    config.HistoryArchival{State: config.ArchivalDisabled},
			Visibility: config.VisibilityArchival{State: config.ArchivalDisabled},
		},
		NamespaceDefaults: config.NamespaceDefaults{Archival: config.ArchivalNamespaceDefaults{
			History:    config.HistoryArchivalNamespaceDefaults{State: config.ArchivalDisabled},
			Visibility: config.VisibilityArchivalNamespaceDefaults{State: config.ArchivalDisabled},
		}},
	}
}

// sqlConfig opens db. With a write-ahead log and synchronous=normal a killed process loses nothing and starts
// and signals are several times faster. Nothing is synced at a commit, only around a checkpoint: a power cut may take
// away all commits since the last one, but never a part of one, and leaves no torn database.
func sqlConfig(db, journal, synchronous string) *config.SQL {
	return &config.SQL{
		PluginName:   sqlite.PluginName,
		DatabaseName: db,
		ConnectAttributes: map[string]string{
			"mode": "rwc", "busy_timeout": "10000", "journal_mode": journal, "synchronous": synchronous,
		},
	}
}

// prepare makes the database when there is none, and the namespace. The schema is laid in a draft that is
// renamed when complete, so a kill in between leaves no half-made file.
func prepare(db, namespace string) error {
	_, err := os.Stat(db)
	if os.IsNotExist(err) {
		err = create(db)
	} else {
		err = dropIndexes(db)
	}
	if err != nil {
		return err
	}
	entry, err := sqliteschema.NewNamespaceConfig(clusterName, namespace, false, nil)
	if err != nil {
		return fmt.Errorf("describe the namespace: %w", err)
	}
	entry.Detail.Config.Retention = durationpb.New(retention)
	if err := sqliteschema.CreateNamespaces(sqlConfig(db, "wal", "normal"), entry); err != nil {
		return fmt.Errorf("register the namespace: %w", err)
	}
	return nil
}

func create(db string) error {
	draft := db + ".draft"
	if err := os.Remove(draft); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("remove an unfinished database: %w", err)
	}
	if err := sqliteschema.SetupSchema(sqlConfig(draft, "off", "off")); err != nil {
		return fmt.Errorf("lay the schema: %w", err)
	}
	if err := dropIndexes(draft); err != nil {
		return err
	}
	if err := putInPlace(draft, db); err != nil {
		return fmt.Errorf("put the database in place: %w", err)
	}
	return nil
}

// neededIndexes are the indexes of the table of workflows that this server keeps: for lists in their order, by ID, by type,
// and of those that run. Filters by search attributes only narrow down what runs.
var neededIndexes = map[string]bool{"default_idx": true, "by_workflow_id": true, "by_workflow_type": true, "by_status": true}

// dropIndexes drops the other indexes of the table of workflows, also those of a database of an earlier version. Every change
// of a search attribute would update nearly all of the 58, which is the most expensive part of a command.
func dropIndexes(path string) error {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(10000)")
	if err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	err = dropIndexesOf(db)
	if err := errors.Join(err, db.Close()); err != nil {
		return fmt.Errorf("drop indexes: %w", err)
	}
	return nil
}

func dropIndexesOf(db *sql.DB) error {
	unneeded, err := unneededIndexes(db)
	if err != nil || len(unneeded) == 0 {
		return err
	}
	tx, err := db.BeginTx(context.Background(), nil) // one, so that the file is synced once
	if err != nil {
		return err
	}
	for _, name := range unneeded {
		if _, err := tx.ExecContext(context.Background(), fmt.Sprintf("DROP INDEX IF EXISTS %q", name)); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	return tx.Commit()
}

func unneededIndexes(db *sql.DB) ([]string, error) {
	rows, err := db.QueryContext(context.Background(),
		`SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 'executions_visibility' AND sql IS NOT NULL`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var unneeded []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		if !neededIndexes[name] {
			unneeded = append(unneeded, name)
		}
	}
	return unneeded, rows.Err()
}

// putInPlace writes the draft, which was made almost without syncs, through to the disk before it gets the name db.
func putInPlace(draft, db string) error {
	if err := sync(draft); err != nil {
		return err
	}
	if err := os.Rename(draft, db); err != nil {
		return err
	}
	return sync(filepath.Dir(db))
}

func sync(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// dynamicConfig lifts the limits that protect a shared cluster and trades throughput at scale for latency.
func dynamicConfig() *dynamicSettings {
	values := dynamicconfig.StaticClient{
		// One partition: a task never waits for a forward to the partition where the poller is.
		dynamicconfig.MatchingNumTaskqueueReadPartitions.Key():  1,
		dynamicconfig.MatchingNumTaskqueueWritePartitions.Key(): 1,
		// A timer shorter than this shift fires late by up to the shift.
		dynamicconfig.TimerProcessorMaxTimeShift.Key():                          50 * time.Millisecond,
		dynamicconfig.FrontendMaxConcurrentLongRunningRequestsPerInstance.Key(): 100_000,
		// A worker that is stopped is no longer listed as polling, so that another version may take over at once.
		dynamicconfig.EnableCancelWorkerPollsOnShutdown.Key(): true,
	}
	for _, limit := range []dynamicconfig.Key{
		dynamicconfig.FrontendRPS.Key(),
		dynamicconfig.FrontendMaxNamespaceRPSPerInstance.Key(),
		dynamicconfig.FrontendMaxNamespaceVisibilityRPSPerInstance.Key(),
		dynamicconfig.FrontendMaxNamespaceNamespaceReplicationInducingAPIsRPSPerInstance.Key(),
		dynamicconfig.FrontendNamespaceReplicationInducingAPIsRPS.Key(),
		dynamicconfig.FrontendPersistenceMaxQPS.Key(),
		dynamicconfig.HistoryRPS.Key(),
		dynamicconfig.HistoryPersistenceMaxQPS.Key(),
		dynamicconfig.MatchingRPS.Key(),
		dynamicconfig.MatchingPersistenceMaxQPS.Key(),
	} {
		values[limit] = unthrottled
	}
	return &dynamicSettings{StaticClient: values}
}
