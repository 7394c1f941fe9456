package ctl

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"holdfast"
	"holdfast/membership/password"
	"holdfast/node/confdir"
	"holdfast/storage"
)

// ErrUsage says that the arguments were bad and that this was explained already.
var ErrUsage = errors.New("usage")

// Process is what the command takes from its process.
type Process struct {
	Program        string // how messages call it
	Stdout, Stderr io.Writer
	Getenv         func(string) string
	Terminal       *os.File // to ask for the password at; may be nil
	Now            func() time.Time
	FS             storage.FS
}

// Ports that hosts use unless told otherwise.
const (
	nodePort    = "2530"
	gatewayPort = "9000"
)

// verb is one command.
type verb struct {
	name, short string
	// flags declares the command's flags and returns what runs it.
	flags func(*command, *flag.FlagSet) func(context.Context) error
}

func verbs() []verb {
	return []verb{
		{"create", "make a cluster: this host becomes its first configuration service", (*command).create},
		{"join", "make this host one more configuration service", (*command).join},
		{"init-storage", "make a mount a storage of the cluster", (*command).initStorage},
		{"add-host", "make this host one of the cluster", (*command).addHost},
		{"remove-host", "take a host out of the cluster", (*command).removeHost},
		{"add-vol", "make a volume with its name and object servers", (*command).addVolume},
		{"add-s3gw", "run an S3 gateway on a host", (*command).addGateway},
		{"remove-s3gw", "stop an S3 gateway", (*command).removeGateway},
		{"get-config", "show services and hosts, with -n volumes", (*command).getConfig},
		{"agent-status", "show what all hosts are running", (*command).agentStatus},
		{"bind", "have services run on a host", (*command).bind},
		{"unbind", "leave services to placement again", (*command).unbind},
		{"drain", "have a host give its services to others", (*command).drain},
		{"quickstart", "make a whole cluster, one command per host", (*command).quickstart},
	}
}

// Usage lists the commands.
func Usage(w io.Writer, program string) {
	fmt.Fprintf(w, "usage: %s COMMAND [flags]\n", program)
	for _, v := range verbs() {
		fmt.Fprintf(w, "  %-13s %s\n", v.name, v.short)
	}
}

// command is one run.
type command struct {
	Process
	verb         string
	dir          confdir.Dir
	asJSON       bool
	passwordFile string
}

// Run runs a command. ErrUsage: the arguments were bad; flag.ErrHelp: help was asked for.
func Run(ctx context.Context, args []string, p Process) error {
	for _, v := range verbs() {
		if len(args) == 0 || args[0] != v.name {
			continue
		}
		c := &command{Process: p, verb: v.name, dir: confdir.Default}
		f := flag.NewFlagSet(p.Program+" "+v.name, flag.ContinueOnError)
		f.SetOutput(p.Stderr)
		f.StringVar((*string)(&c.dir), "r", confdir.Default, "configuration `directory` of this host")
		f.BoolVar(&c.asJSON, "json", false, "write the answer as JSON")
		run := v.flags(c, f)
		switch err := f.Parse(optionalValue(v.name, args[1:])); {
		case errors.Is(err, flag.ErrHelp):
			return err
		case err != nil:
			return ErrUsage
		case f.NArg() > 0:
			fmt.Fprintf(p.Stderr, "%s: %q is no flag\n", f.Name(), f.Arg(0))
			return ErrUsage
		}
		return run(ctx)
	}
	fmt.Fprintf(p.Stderr, "%s: there is no such command; %[1]s help lists them\n", p.Program)
	return ErrUsage
}

// noAddress stands for an -n without a value.
const noAddress = "-"

// optionalValue gives the -n of get-config, whose value may be missing, one.
func optionalValue(verb string, args []string) []string {
	if verb != "get-config" {
		return args
	}
	var out []string
	for i, a := range args {
		out = append(out, a)
		if (a == "-n" || a == "--n") && (i+1 == len(args) || strings.HasPrefix(args[i+1], "-")) {
			out = append(out, noAddress)
		}
	}
	return out
}

// passwordFlag declares where the password may come from besides the environment and the terminal.
func (c *command) passwordFlag(f *flag.FlagSet) {
	f.StringVar(&c.passwordFile, "password-file", "", "`file` with the cluster's password that only its owner may read; else $"+
		password.Variable+", $"+password.FileVariable+" or the terminal")
}

// password asks for the cluster's password.
func (c *command) password(confirm bool) ([]byte, error) {
	getenv := c.Getenv
	if c.passwordFile != "" {
		getenv = func(name string) string {
			if name == password.FileVariable {
				return c.passwordFile
			}
			return ""
		}
	}
	return password.Source{Getenv: getenv, Terminal: c.Terminal, Out: c.Stderr}.Read("password of the cluster", confirm)
}

// address completes an address of a host by a port.
func address(flagName, s, port string) (string, error) {
	if net.ParseIP(s) != nil {
		return net.JoinHostPort(s, port), nil
	}
	host, given, err := net.SplitHostPort(s)
	if err != nil || net.ParseIP(host) == nil || given == "" || given == "0" {
		return "", fmt.Errorf("%s: %q is neither IP nor IP:PORT", flagName, s)
	}
	return s, nil
}

// required refuses flags that were not given.
func required(flags ...[2]string) error {
	for _, f := range flags {
		if f[1] == "" {
			return fmt.Errorf("%s: is missing", f[0])
		}
	}
	return nil
}

// serviceIDs is a flag that may be given several times.
type serviceIDs []holdfast.ServiceID

// String implements [flag.Value].
func (l *serviceIDs) String() string { return fmt.Sprint([]holdfast.ServiceID(*l)) }

// Set implements [flag.Value].
func (l *serviceIDs) Set(s string) error {
	id, err := holdfast.ParseServiceID(s)
	if err != nil {
		return errors.New("is not an id of 16 hex digits")
	}
	*l = append(*l, id)
	return nil
}

// hostID reads the id of a host.
func hostID(flagName, s string) (holdfast.HostID, error) {
	id, err := holdfast.ParseHostID(s)
	if err != nil || id == 0 {
		return 0, fmt.Errorf("%s: %q is not the id of a host, 16 hex digits", flagName, s)
	}
	return id, nil
}
