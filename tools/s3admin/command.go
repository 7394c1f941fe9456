package s3admin

import (
	"context"
	"flag"
	"fmt"
	"io"
	"text/tabwriter"
)

// command is one subcommand: a value that holds its own flags.
type command interface {
	// flags declares the flags of the command beside those that all have.
	flags(*flag.FlagSet)
	// run does it. An error about one flag is made by badFlag.
	run(context.Context, *session) error
}

// entry is a row of the table of commands.
type entry struct {
	name  string
	short string
	make  func() command
}

// table lists the commands in the order in which help shows them.
func table() []entry {
	return []entry{
		{"create-user", "make a user with a key pair", func() command { return new(createUser) }},
		{"query-users", "list the users and their keys", func() command { return new(queryUsers) }},
		{"query-user-info", "show a user with all keys", func() command { return new(queryUserInfo) }},
		{"disable-user", "let no key of a user sign any more", func() command { return &switchUser{to: "disable", done: "Disabled"} }},
		{"enable-user", "let the keys of a user sign again", func() command { return &switchUser{to: "enable", done: "Enabled"} }},
		{"delete-user", "remove a user who owns no bucket", func() command { return new(deleteUser) }},
		{"gen-access-key", "give a user another key pair, two at most", func() command { return new(genAccessKey) }},
		{"revoke-access-key", "take a key pair from a user", func() command { return new(revokeAccessKey) }},

		{"create-account", "make a service account: a key pair of its own", func() command { return new(createAccount) }},
		{"list-user-accounts", "list the service accounts of a user", func() command { return new(listAccounts) }},
		{"query-account-info", "show a service account with its policy", func() command { return new(queryAccount) }},
		{"set-account-policy", "replace or remove the policy of a service account", func() command { return new(setAccountPolicy) }},
		{"delete-account", "revoke a service account", func() command { return new(deleteAccount) }},

		{"list-all-buckets", "list all buckets with owner and size", func() command { return new(listBuckets) }},
		{"query-bucket-info", "show a bucket with its grants", func() command { return new(queryBucket) }},
		{"change-bucket-owner", "give a bucket to another user, by force", func() command { return new(changeOwner) }},
		{"explain", "tell who may do what, and which rule decides", func() command { return new(explain) }},
		{"delete-bucket", "delete a bucket with everything in it, by force", func() command { return new(deleteBucket) }},

		{"set-limits", "bound how fast a user or bucket may be used", func() command { return new(setLimits) }},
		{"query-limits", "show the limits of a user or bucket", func() command { return new(queryLimits) }},
		{"rm-limits", "remove the limits of a user or bucket", func() command { return new(removeLimits) }},
		{"set-quotas", "bound how much a user or bucket may hold", func() command { return &setQuotas{subject: subject{defaults: true}} }},
		{"query-quotas", "show the quota of a user or bucket", func() command { return &queryQuotas{subject{defaults: true}} }},
		{"rm-quotas", "remove the quota of a user or bucket", func() command { return &removeQuotas{subject{defaults: true}} }},
		{"list-usage", "list the usage objects of all gateways", func() command { return new(listUsage) }},
		{"get-usage", "print a usage object", func() command { return new(getUsage) }},
		{"delete-usage", "delete a usage object that was collected", func() command { return new(deleteUsage) }},
	}
}

// session is what a command works with.
type session struct {
	client   *client
	out      *printer
	progress io.Writer
	json     bool
}

// printer writes the output of a command and remembers the first error, which Run returns.
type printer struct {
	w   io.Writer
	err error
}

// Write implements [io.Writer].
func (p *printer) Write(b []byte) (int, error) {
	if p.err != nil {
		return 0, p.err
	}
	n, err := p.w.Write(b)
	p.err = err
	return n, err
}

func (p *printer) printf(format string, args ...any) { _, _ = fmt.Fprintf(p, format, args...) } // remembered

// table writes rows as columns with two spaces between them.
func (p *printer) table(rows func(add func(cells ...string))) {
	w := tabwriter.NewWriter(p, 0, 0, 2, ' ', 0)
	rows(func(cells ...string) {
		for i, c := range cells {
			if i > 0 {
				_, _ = io.WriteString(w, "\t") // remembered by the printer
			}
			_, _ = io.WriteString(w, c)
		}
		_, _ = io.WriteString(w, "\n")
	})
	_ = w.Flush()
}

// passJSON prints an answer of the API as it came if --json asked for that, and tells whether it did.
func (s *session) passJSON(answer []byte) bool {
	if s.json {
		s.out.printf("%s\n", answer)
	}
	return s.json
}

// who names a user by -e or -i.
type who struct{ email, id string }

func (w *who) flags(fs *flag.FlagSet) {
	fs.StringVar(&w.email, "e", "", "e-mail `address` of the user")
	fs.StringVar(&w.id, "i", "", "`id` of the user: 16 hexadecimal digits")
}

// query adds the user to the parameters of a request.
func (w *who) query(q params) (params, error) {
	switch {
	case w.email != "" && w.id != "":
		return nil, badFlag("i", "a user is named by -e or by -i, not by both")
	case w.email != "":
		return append(q, param{"emailAddress", w.email}), nil
	case w.id != "":
		return append(q, param{"id", w.id}), nil
	}
	return nil, badFlag("e", "name the user by -e ADDRESS or -i ID")
}
