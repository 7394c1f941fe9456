package main

import (
	"context"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

// drainWithin bounds how long the requests under way are waited for at the end.
const drainWithin = 30 * time.Second

// procsPerCore is how many goroutines may run per core. A goroutine in fdatasync keeps its place until the runtime notices, some
// 20 µs later or more; with one place per core, a few flushes under way leave none for the requests.
const procsPerCore = 2

// server is what a command runs until it is told to stop.
type server interface {
	Done() <-chan struct{} // closed when it cannot serve any more
	Close(ctx context.Context) error
}

// serve starts a server and waits until ctx or the server ends. At SIGHUP it calls what start returned for that.
func serve(ctx context.Context, start func() (s server, reload func(), err error)) error {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(procsPerCore * runtime.NumCPU())
	}
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	s, reload, err := start()
	if err != nil {
		return err
	}
	for {
		select {
		case <-hangups:
			reload()
			continue
		case <-ctx.Done():
		case <-s.Done():
		}
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainWithin)
		defer cancel()
		return s.Close(drain)
	}
}
