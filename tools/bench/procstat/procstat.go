// Package procstat reads what processes have used: CPU time and memory, from
// getrusage(2) for the calling process and from proc(5) for others.
//
// It reads counters and computes no rates; the caller subtracts two readings.
package procstat

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// clockTick is the unit of the times in /proc/PID/stat. Linux fixes USER_HZ at
// 100 on every architecture that Go supports.
const clockTick = 10 * time.Millisecond

// CPU is processor time a process has consumed since its start, all threads,
// dead ones included.
type CPU struct{ User, System time.Duration }

// Total is user and system time together.
func (c CPU) Total() time.Duration { return c.User + c.System }

// Sub is what was consumed between the reading o and the later reading c.
func (c CPU) Sub(o CPU) CPU { return CPU{c.User - o.User, c.System - o.System} }

// Self is the calling process's CPU time, to the microsecond.
func Self() (CPU, error) {
	var ru unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &ru); err != nil {
		return CPU{}, fmt.Errorf("getrusage: %w", err)
	}
	return CPU{time.Duration(ru.Utime.Nano()), time.Duration(ru.Stime.Nano())}, nil
}

// OfProcess is the CPU time of process pid, in steps of 10 ms.
func OfProcess(pid int) (CPU, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return CPU{}, fmt.Errorf("cpu time of process %d: %w", pid, err)
	}
	c, err := parseStat(b)
	if err != nil {
		return CPU{}, fmt.Errorf("cpu time of process %d: %w", pid, err)
	}
	return c, nil
}

// parseStat takes utime and stime, fields 14 and 15, from /proc/PID/stat.
func parseStat(b []byte) (CPU, error) {
	// The command, field 2, may hold anything, even parentheses.
	i := bytes.LastIndexByte(b, ')')
	if i < 0 {
		return CPU{}, fmt.Errorf("malformed /proc stat %q", b)
	}
	fields := bytes.Fields(b[i+1:])
	if len(fields) < 13 {
		return CPU{}, fmt.Errorf("malformed /proc stat %q", b)
	}
	user, err1 := strconv.ParseInt(string(fields[11]), 10, 64)
	system, err2 := strconv.ParseInt(string(fields[12]), 10, 64)
	if err1 != nil || err2 != nil {
		return CPU{}, fmt.Errorf("malformed /proc stat %q", b)
	}
	return CPU{time.Duration(user) * clockTick, time.Duration(system) * clockTick}, nil
}

// Memory is a process's resident memory in bytes.
type Memory struct{ Resident, PeakResident int64 }

// MemoryOf is the memory of process pid.
func MemoryOf(pid int) (Memory, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return Memory{}, fmt.Errorf("memory of process %d: %w", pid, err)
	}
	return parseStatus(b), nil
}

// parseStatus takes VmRSS and VmHWM from /proc/PID/status; a kernel thread or
// a zombie has neither and counts as 0.
func parseStatus(b []byte) Memory {
	var m Memory
	for line := range bytes.Lines(b) {
		fields := bytes.Fields(line)
		if len(fields) != 3 || string(fields[2]) != "kB" {
			continue
		}
		n, err := strconv.ParseInt(string(fields[1]), 10, 64)
		if err != nil {
			continue
		}
		switch string(fields[0]) {
		case "VmRSS:":
			m.Resident = n << 10
		case "VmHWM:":
			m.PeakResident = n << 10
		}
	}
	return m
}
