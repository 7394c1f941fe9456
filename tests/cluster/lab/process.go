package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// runWithin bounds every command that is run to its end.
const runWithin = time.Minute

// run runs a command to its end and returns what it wrote; a failure has it, too. The output goes through a file: a daemon that the
// command leaves behind would keep a pipe open, and us waiting.
func run(ctx context.Context, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, runWithin)
	defer cancel()
	out, err := os.CreateTemp("", "holdfast-output-")
	if err != nil {
		return "", err
	}
	defer out.Close()
	if err := os.Remove(out.Name()); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = out, out
	err = cmd.Run()
	text, readErr := io.ReadAll(io.NewSectionReader(out, 0, maxOutput))
	if err != nil {
		return string(text), fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, text)
	}
	return string(text), readErr
}

// maxOutput bounds what is read of what a process wrote, in bytes.
const maxOutput = 1 << 20

// Process is a program that runs in a host.
type Process struct {
	name string
	log  string
	cmd  *exec.Cmd
	done chan struct{}
	err  error // valid after done
}

// Start runs a program in the host's networks. What it writes goes to NAME.log in the host's directory, behind what is there. It dies with
// this process.
func (l *Lab) Start(h Host, name string, env []string, args ...string) (*Process, error) {
	return start(filepath.Join(l.Dir(h), name+".log"), name, env, l.enter(h, args...))
}

// enter returns the command that runs args in the host's networks. nsenter becomes the program, so their process ids are the same.
func (l *Lab) enter(h Host, args ...string) []string {
	return append([]string{"nsenter", "--net=" + namespacePath(l.namespace(h)), "--"}, args...)
}

func start(log, name string, env, args []string) (*Process, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	p := &Process{name: name, log: log, cmd: exec.Command(args[0], args[1:]...), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// PID returns its process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Kill ends the process with SIGKILL, paused or not, and returns when it has ended.
func (p *Process) Kill() error {
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-p.done
	return nil
}

// Terminate asks the process to end with SIGTERM and returns how it did.
func (p *Process) Terminate(ctx context.Context) error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		return fmt.Errorf("%s has not ended: %w", p.name, context.Cause(ctx))
	}
}

// Pause stops all threads of the process where they are (SIGSTOP).
func (p *Process) Pause() error { return p.cmd.Process.Signal(syscall.SIGSTOP) }

// Resume lets a paused process go on (SIGCONT).
func (p *Process) Resume() error { return p.cmd.Process.Signal(syscall.SIGCONT) }

// Output returns the last part of what the process, and those of this name before it, wrote.
func (p *Process) Output() string {
	f, err := os.Open(p.log)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	if size, err := f.Seek(0, io.SeekEnd); err != nil || size > maxShown {
		_, err = f.Seek(-maxShown, io.SeekEnd)
		if err != nil {
			return err.Error()
		}
	} else if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err.Error()
	}
	b, err := io.ReadAll(io.LimitReader(f, maxShown))
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// maxShown bounds Output, in bytes.
const maxShown = 16 << 10
