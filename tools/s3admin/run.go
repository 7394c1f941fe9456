package s3admin

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"holdfast"
	"holdfast/tools/credential"
)

// ErrUsage is returned when the arguments were bad; what is wrong with them was written to standard error.
var ErrUsage = errors.New("bad usage")

// Options are what a run takes from its process.
type Options struct {
	Program string // as the user called it, for help: "holdfast s3-admin"
	Stdout  io.Writer
	Stderr  io.Writer
	Env     func(string) string
}

// Run runs the command that args name. flag.ErrHelp says that help was asked for and printed.
func Run(ctx context.Context, args []string, o Options) error {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		printUsage(o.Stdout, o.Program)
		return nil
	}
	for _, e := range table() {
		if e.name == args[0] {
			return e.run(ctx, args[1:], o)
		}
	}
	fmt.Fprintf(o.Stderr, "%s: there is no command %q; %s help lists them\n", o.Program, args[0], o.Program)
	return ErrUsage
}

func printUsage(w io.Writer, program string) {
	fmt.Fprintf(w, "usage: %s COMMAND [flags]\n", program)
	for _, e := range table() {
		fmt.Fprintf(w, "  %-20s %s\n", e.name, e.short)
	}
	fmt.Fprintf(w, "%s COMMAND --help shows the flags of a command.\n", program)
}

// common are the flags of all commands.
type common struct {
	credential.Flags
	target target
	json   bool
	quiet  bool
	volume string
}

func (c *common) flags(fs *flag.FlagSet) {
	fs.StringVar(&c.target.url, "endpoint", "http://127.0.0.1:9000", "`URL` of the S3 endpoint")
	fs.StringVar(&c.target.region, "region", "us-east-1", "`region` to sign for")
	fs.BoolVar(&c.target.insecure, "insecure", false, "accept any TLS certificate")
	fs.StringVar(&c.target.caFile, "ca-file", "", "PEM `file` of certificate authorities to trust")
	fs.StringVar(&c.AccessKey, "access-key", "", "access `key` of a system user (or HOLDFAST_ACCESS_KEY in the environment)")
	fs.StringVar(&c.SecretKey, "secret-key", "", "secret `key` (or HOLDFAST_SECRET_KEY in the environment)")
	fs.StringVar(&c.File, "credentials", "", "`file` of KEY=VALUE lines with the two keys, such as holdfast-data/root-credentials.env")
	fs.BoolVar(&c.json, "json", false, "print the answers of the management API")
	fs.BoolVar(&c.quiet, "quiet", false, "no progress on standard error")
	fs.StringVar(&c.volume, "V", "", "`id` of the volume; an endpoint serves one, so it may be left out")
}

func (e entry) run(ctx context.Context, args []string, o Options) error {
	cmd := e.make()
	fs := flag.NewFlagSet(o.Program+" "+e.name, flag.ContinueOnError)
	var c common
	c.flags(fs)
	cmd.flags(fs)
	fs.SetOutput(io.Discard)
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fs.SetOutput(o.Stdout)
		fmt.Fprintf(o.Stdout, "usage: %s [flags]: %s\n", fs.Name(), e.short)
		fs.PrintDefaults()
		return flag.ErrHelp
	case err != nil:
		return usage(o, e, err)
	case fs.NArg() > 0:
		return usage(o, e, fmt.Errorf("unexpected argument %q", fs.Arg(0)))
	}
	keys, err := credential.Find(c.Flags, o.Env)
	if err != nil {
		return usage(o, e, err)
	}
	client, err := newClient(c.target, keys)
	if err != nil {
		return usage(o, e, err)
	}
	defer client.close()
	s := &session{client: client, out: &printer{w: o.Stdout}, progress: o.Stderr, json: c.json}
	if c.quiet {
		s.progress = io.Discard
	}
	if err = cmd.run(ctx, s); err == nil {
		err = s.out.err
	}
	var bad *flagError
	if errors.As(err, &bad) {
		return usage(o, e, err)
	}
	return err
}

// usage says in one line what is wrong with the arguments.
func usage(o Options, e entry, err error) error {
	fmt.Fprintf(o.Stderr, "%s %s: %s\n", o.Program, e.name, strings.Join(strings.Fields(err.Error()), " "))
	return ErrUsage
}

// flagError is bad input in one flag.
type flagError struct{ flag, reason string }

func badFlag(flag, format string, args ...any) error {
	return &flagError{flag, fmt.Sprintf(format, args...)}
}

// Error returns one line that begins with the flag.
func (e *flagError) Error() string { return "-" + e.flag + ": " + e.reason }

// Unwrap makes the kind holdfast.Invalid.
func (e *flagError) Unwrap() error { return holdfast.E("s3-admin", holdfast.Invalid, nil) }

// required checks that a flag was given.
func required(flag, value, what string) error {
	if value == "" {
		return badFlag(flag, "%s is missing", what)
	}
	return nil
}
