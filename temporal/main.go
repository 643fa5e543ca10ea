// Command supportdesk-temporal is a whole Temporal server with its web UI in one process, on one SQLite file:
// the server of `supportdesk up` and of the tests. Production runs against a real cluster instead. It is a
// module of its own because the server's dependencies must stay out of the application's.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/temporal"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

const (
	loopback     = "127.0.0.1"
	startTimeout = 60 * time.Second
	lockTimeout  = 5 * time.Second
	pollEvery    = 20 * time.Millisecond
)

// options are the command line.
type options struct {
	db        string // path of the SQLite file; made when missing
	port      int    // of the gRPC frontend; 0 picks a free one
	uiPort    int    // of the web UI; 0 is no UI
	namespace string
	logLevel  string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "supportdesk-temporal:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends. Once the frontend answers for the namespace it writes one line to stdout,
// "ready grpc=HOST:PORT ui=URL", where ui is "-" without a UI.
func run(ctx context.Context, args []string, stdout io.Writer) error {
	opts, err := parse(args)
	if err != nil {
		return err
	}
	release, err := lock(ctx, opts.db)
	if err != nil {
		return err
	}
	defer release()
	ports, err := choosePorts(opts.port, opts.uiPort)
	if err != nil {
		return err
	}
	frontend := net.JoinHostPort(loopback, strconv.Itoa(ports.frontend))
	if err := prepare(opts.db, opts.namespace); err != nil {
		return err
	}
	srv, err := newServer(opts, ports, log.NewZapLogger(log.BuildZapLogger(log.Config{Level: opts.logLevel})))
	if err != nil {
		return fmt.Errorf("configure the server: %w", err)
	}
	if err := srv.Start(); err != nil {
		return fmt.Errorf("start the server: %w", err)
	}
	ui := "-"
	if opts.uiPort != 0 {
		web, err := startUI(opts, frontend)
		if err != nil {
			return errors.Join(err, srv.Stop())
		}
		defer web.stop()
		ui = fmt.Sprintf("http://%s:%d", loopback, opts.uiPort)
	}
	if err := await(ctx, frontend, opts.namespace); err != nil {
		return errors.Join(err, srv.Stop())
	}
	fmt.Fprintf(stdout, "ready grpc=%s ui=%s\n", frontend, ui)
	<-ctx.Done()
	if err := srv.Stop(); err != nil {
		return fmt.Errorf("stop the server: %w", err)
	}
	// The server leaves its commits in the write-ahead log, unsynced.
	if err := sync(opts.db + "-wal"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("sync the database: %w", err)
	}
	return nil
}

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("supportdesk-temporal", flag.ContinueOnError)
	flags.StringVar(&o.db, "db", "", "SQLite `file` that keeps everything (required)")
	flags.IntVar(&o.port, "port", 7233, "gRPC `port` on 127.0.0.1; 0 picks a free one")
	flags.IntVar(&o.uiPort, "ui-port", 0, "web UI `port` on 127.0.0.1; 0 is no UI")
	flags.StringVar(&o.namespace, "namespace", "default", "namespace to register, with 30 days of retention")
	flags.StringVar(&o.logLevel, "log-level", "error", "debug, info, warn or error, to stderr")
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	if o.db == "" {
		return options{}, errors.New("--db FILE is required")
	}
	return o, nil
}

// lock refuses a second server on the same file: two would fight over its shards. It waits a moment for one
// that is about to end.
func lock(ctx context.Context, db string) (release func(), err error) {
	file, err := os.OpenFile(db+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the database: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, lockTimeout)
	defer cancel()
	for syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		select {
		case <-ctx.Done():
			_ = file.Close()
			return nil, fmt.Errorf("another server is using %s", db)
		case <-time.After(pollEvery):
		}
	}
	return func() { _ = file.Close() }, nil
}

// await returns when the frontend answers for the namespace.
func await(ctx context.Context, address, namespace string) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return fmt.Errorf("connect to the frontend: %w", err)
	}
	defer func() { _ = conn.Close() }()
	frontend := workflowservice.NewWorkflowServiceClient(conn)
	for {
		_, err := frontend.DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: namespace})
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the frontend: %w", errors.Join(ctx.Err(), err))
		case <-time.After(pollEvery):
		}
	}
}

func newServer(opts options, ports portSet, logger log.Logger) (temporal.Server, error) {
	settings := dynamicConfig()
	return temporal.NewServer(
		temporal.WithConfig(serverConfig(opts.db, ports)),
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithStaticHosts(ports.hosts()),
		temporal.WithDynamicConfigClient(settings),
		temporal.WithChainedFrontendGrpcInterceptors(settings.noteChanges),
		temporal.WithLogger(logger),
	)
}
