package membertest

import (
	"cmp"
	"errors"
	"slices"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"

	"holdfast"
)

// committer makes the changes of a service durable in groups, and visible after that, as the engines' committers do:
// R2 before the writes, R6 on any error of a write or sync, R1 before anybody is answered.
type committer struct {
	p       *process
	name    string
	fence   holdfast.Fence
	st      *store // the goroutine's own while it runs
	visible func(rows []row)

	mu    sync.Mutex // guards queue
	queue []*job

	wake chan struct{}
	stop chan struct{}
	done chan struct{}

	unconfirmed []row // durable, and not known to have been before the fence
	behind      bool
}

// job is a change that somebody waits for.
type job struct {
	label string // orders the jobs of a group
	later bool   // after those that are not
	// eval returns the changes, given the rows as all earlier jobs leave them. Without changes the answer is a read.
	eval func(rows map[string]string) ([]row, error)
	file vfs.File // what else must be durable: synced beside the log; may be nil
	err  error
	done chan struct{}
}

// maxGroup is small, so that what waits for a later group often has to.
const maxGroup = 3

var errClosed = errors.New("the engine is closed")

func newCommitter(p *process, name string, fence holdfast.Fence, st *store, visible func([]row)) *committer {
	c := &committer{p: p, name: name, fence: fence, st: st, visible: visible,
		wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{})}
	go c.loop()
	return c
}

// submit waits until a job is answered.
func (c *committer) submit(j *job) error {
	j.done = make(chan struct{})
	c.mu.Lock()
	c.queue = append(c.queue, j)
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
	select {
	case <-j.done:
		return j.err
	case <-c.done:
		return holdfast.E("commit", holdfast.Unknown, errClosed)
	}
}

// close ends the loop after the group under way; done is closed then.
func (c *committer) close() { close(c.stop) }

func (c *committer) loop() {
	defer close(c.done)
	for {
		select {
		case <-c.stop:
		case <-c.p.quit:
		case <-c.wake:
		}
		for {
			if c.stopped() || !c.p.yield("group "+c.name) {
				return
			}
			jobs := c.take()
			if len(jobs) == 0 {
				break
			}
			err := c.group(jobs)
			for _, j := range jobs {
				if j.err == nil {
					j.err = err
				}
				close(j.done)
			}
		}
	}
}

func (c *committer) stopped() bool {
	select {
	case <-c.stop:
		return true
	default:
		return false
	}
}

// take returns the next jobs in an order that does not depend on how their goroutines ran.
func (c *committer) take() []*job {
	c.mu.Lock()
	defer c.mu.Unlock()
	slices.SortStableFunc(c.queue, func(a, b *job) int {
		if a.later != b.later {
			if a.later {
				return 1
			}
			return -1
		}
		return cmp.Compare(a.label, b.label)
	})
	n := min(len(c.queue), maxGroup)
	jobs := slices.Clone(c.queue[:n])
	c.queue = slices.Delete(c.queue, 0, n)
	return jobs
}

func (c *committer) group(jobs []*job) error {
	if err := c.fence.Held(); err != nil { // R2, before writes
		return err
	}
	var rows []row
	var files []vfs.File
	for _, j := range jobs {
		changes, err := j.eval(c.st.rows)
		if err != nil {
			j.err = err
			continue
		}
		for _, r := range changes {
			c.st.set(r)
		}
		rows = append(rows, changes...)
		if j.file != nil && !slices.Contains(files, j.file) {
			files = append(files, j.file)
		}
	}
	if len(rows) == 0 && !c.behind {
		return c.fence.Held()
	}
	if len(rows) > 0 {
		if err := c.write(rows, files); err != nil {
			c.fence.Lose(err) // R6
			return holdfast.E("commit", holdfast.Unknown, err)
		}
	}
	if err := c.confirm(rows); err != nil {
		return err
	}
	if c.st.groups >= groupsPerLog {
		if err := c.st.rotate(); err != nil {
			c.fence.Lose(err) // R6; what was confirmed counts
		}
	}
	return nil
}

// write makes the group durable: the log, and beside it what the jobs need.
func (c *committer) write(rows []row, files []vfs.File) error {
	if err := c.st.append(rows); err != nil {
		return err
	}
	errs := make([]error, len(files)+1)
	var wg sync.WaitGroup
	for i, f := range files {
		wg.Go(func() { errs[i] = f.SyncData() })
	}
	errs[len(files)] = c.st.sync()
	wg.Wait()
	return errors.Join(errs...)
}

// confirm is R1. What could not be confirmed stays invisible until a later group is.
func (c *committer) confirm(rows []row) error {
	c.behind = true
	c.unconfirmed = append(c.unconfirmed, rows...)
	if err := c.fence.Confirm(); err != nil {
		return holdfast.E("commit", holdfast.Unknown, err)
	}
	c.behind = false
	c.visible(c.unconfirmed)
	c.unconfirmed = nil
	return nil
}
