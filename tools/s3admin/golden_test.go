package s3admin_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"holdfast"
	"holdfast/gw"
	"holdfast/gw/account"
	"holdfast/gw/keyring"
	"holdfast/gw/limit"
	"holdfast/gw/usage"
	"holdfast/namesrv/nametest"
	"holdfast/objsrv/objtest"
	"holdfast/tools/s3admin"
	"holdfast/volume"
)

var rewrite = flag.Bool("rewrite", false, "rewrite the golden files; read the diff before committing it")

// store is a gateway to run the tool against.
type store struct {
	endpoint string
	volume   *volume.Volume
}

// root are the keys of the store's root user.
var root = account.Root{ID: "0000000000000001", Name: "root", AccessKey: "ROOTKEY", Secret: "rootsecret"}

func newStore(t *testing.T) *store {
	t.Helper()
	id := holdfast.NewServiceID(holdfast.TypeNameServer, 1)
	slots := volume.NewSlotMap(id)
	direct := volume.NewDirect(slots)
	direct.SetName(id, nametest.New(nil, slots.Held(id)...))
	os := holdfast.NewServiceID(holdfast.TypeObjectStore, 1)
	direct.SetObject(os, objtest.NewMemory(os, nil))
	v, err := volume.Open(volume.Options{Services: direct})
	if err != nil {
		t.Fatal(err)
	}
	ring, err := new(keyring.Ring).With(strings.TrimPrefix(keyring.Generate(), keyring.Variable+"="))
	if err != nil {
		t.Fatal(err)
	}
	accounts := account.New(account.Options{Volume: v, Keys: ring, Root: root})
	limits := limit.Open(limit.Options{Volume: v})
	server := httptest.NewServer(gw.New(gw.Options{
		Limits:  limits,
		Service: holdfast.NewServiceID(holdfast.TypeGateway, 1), Volume: v, Accounts: accounts, Users: accounts,
		Credentials: gw.NewCredentials(accounts), Settings: gw.Settings{Region: "us-east-1"},
	}))
	t.Cleanup(func() {
		server.Close()
		limits.Close()
		if err := v.Close(); err != nil {
			t.Error(err)
		}
	})
	return &store{server.URL, v}
}

// shell runs lines of a script and keeps their output with what is random in it replaced by names that stay the same from run to run.
type shell struct {
	t     *testing.T
	store *store
	names map[string]string // what was random → its name
	back  map[string]string
	count map[string]int // of names, by kind
	log   bytes.Buffer
}

func newShell(t *testing.T, st *store) *shell {
	return &shell{t: t, store: st, names: make(map[string]string), back: make(map[string]string), count: make(map[string]int)}
}

// random are the things that differ from run to run. Times get the same name all; the others are told apart.
var random = []struct {
	name    string
	pattern *regexp.Regexp
}{
	{"ACCOUNTKEY", regexp.MustCompile(`holdfast-[A-Z0-9]{10}`)},
	{"KEY", regexp.MustCompile(`\b[0-9a-f]{16}[A-Z0-9]{4}\b`)},
	{"USER", regexp.MustCompile(`\b[0-9a-f]{16}\b`)},
	{"SECRET", regexp.MustCompile(`\b[A-Za-z0-9]{40}\b`)},
}

var times = regexp.MustCompile(`\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z|"last_ts":\d+|"epoch":\d{13}`)

func (s *shell) clean(out string) string {
	for _, r := range random {
		out = r.pattern.ReplaceAllStringFunc(out, func(found string) string { return s.name(r.name, found) })
	}
	return times.ReplaceAllStringFunc(out, func(found string) string { return strings.Repeat("T", len(found)) })
}

// name returns what stands for something random: as long as that, so that columns stay where they are.
func (s *shell) name(kind, found string) string {
	if strings.HasPrefix(found, "00000000") { // what does not differ
		return found
	}
	if name, ok := s.names[found]; ok {
		return name
	}
	s.count[kind]++
	short := fmt.Sprint(kind, s.count[kind])
	name := short + strings.Repeat(".", max(len(found)-len(short), 0))
	s.names[found], s.back[short] = name, found
	return name
}

// run runs one line. $NAME stands for what was random.
func (s *shell) run(line string) {
	s.t.Helper()
	args := strings.Fields(line)
	for i, a := range args {
		if real, ok := s.back[strings.TrimPrefix(a, "$")]; ok && a[0] == '$' {
			args[i] = real
		}
	}
	args = append(args, "--endpoint", s.store.endpoint)
	var out, complaints bytes.Buffer
	err := s3admin.Run(s.t.Context(), args, s3admin.Options{
		Program: "ostor-s3-admin", Stdout: &out, Stderr: &complaints,
		Env: func(name string) string {
			return map[string]string{"HOLDFAST_ACCESS_KEY": root.AccessKey, "HOLDFAST_SECRET_KEY": root.Secret}[name]
		},
	})
	fmt.Fprintf(&s.log, "$ %s\n%s", line, s.clean(out.String()))
	if complaints.Len() > 0 {
		fmt.Fprintf(&s.log, "stderr: %s", s.clean(complaints.String()))
	}
	if err != nil && !errors.Is(err, s3admin.ErrUsage) {
		fmt.Fprintf(&s.log, "error: %s\n", s.clean(err.Error()))
	}
}

// TestOutput runs every command against a gateway and compares what it prints with a golden file.
func TestOutput(t *testing.T) {
	st := newStore(t)
	s := newShell(t, st)
	policy := t.TempDir() + "/policy.json"
	if err := os.WriteFile(policy, []byte(`{"Version": "2012-10-17", "Statement": []}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"list-all-buckets",
		"query-users",
		"create-user -e user1@abc.com -V 0100000000000002",
		"create-user -e user2@abc.com",
		"create-user -e admin@abc.com -S",
		"create-user -e user1@abc.com",
		"create-user -e nonsense",
		"gen-access-key -e user1@abc.com",
		"gen-access-key -i $USER1",
		"query-users",
		"query-users -a",
		"query-users -a -X",
		"query-users -X",
		"query-user-info -e user1@abc.com",
		"query-user-info -i $USER2",
		"query-user-info -e nobody@abc.com",
		"revoke-access-key -e user2@abc.com -k $KEY2",
		"query-users",
		"disable-user -e user2@abc.com",
		"query-user-info -e user2@abc.com --json",
		"enable-user -i $USER2",
		"create-account -e user1@abc.com -n backup",
		"create-account -e user1@abc.com -n web --policy " + policy,
		"create-account -e user1@abc.com -n web",
		"list-user-accounts -e user1@abc.com",
		"query-account-info -e user1@abc.com -n web",
		"set-account-policy -e user1@abc.com -n web --no-policy",
		"query-account-info -e user1@abc.com -n web",
		"query-account-info -e user1@abc.com -n web --json",
		"delete-account -e user1@abc.com -n web",
		"list-user-accounts -e user1@abc.com",
		"delete-user -e user2@abc.com",
		"query-user-info -i $USER2",
	} {
		s.run(line)
	}
	makeBuckets(t, st.volume, s.back["USER1"])
	for _, line := range []string{
		"list-all-buckets",
		"list-all-buckets -X",
		"list-all-buckets -i $USER1",
		"list-all-buckets -i 0123456789abcdef",
		"list-all-buckets --json",
		"query-bucket-info -b photos",
		"query-bucket-info -b nothing",
		"delete-user -i $USER1",
		"change-bucket-owner -b photos -i $USER3",
		"change-bucket-owner -b nothing -i $USER3",
		"query-bucket-info -b photos",
		"delete-bucket -b photos",
		"delete-bucket -b photos",
		"delete-bucket -b music --json",
		"list-all-buckets",
		"delete-user -i $USER1",
		"query-users",
	} {
		s.run(line)
	}
	s.compare("testdata/commands.golden", policy)
}

// compare compares what was printed with a golden file. The file of a policy has a name that differs.
func (s *shell) compare(name, policy string) {
	s.t.Helper()
	got := s.log.Bytes()
	if policy != "" {
		got = bytes.ReplaceAll(got, []byte(policy), []byte("policy.json"))
	}
	if *rewrite {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			s.t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		s.t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		s.t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestLimits does the same for limits, quotas and usage records.
func TestLimits(t *testing.T) {
	st := newStore(t)
	s := newShell(t, st)
	s.run("create-user -e user1@abc.com")
	makeBuckets(t, st.volume, s.back["USER1"])
	for _, line := range []string{
		"query-limits -e user1@abc.com",
		"set-limits -e user1@abc.com -t ops -L get=3600",
		"set-limits -i $USER1 -t bandwidth -L out=100",
		"set-limits -b photos -t ops -L default=2,list=0.5 -L put=0",
		"query-limits -b photos",
		"query-limits -b photos --json",
		"query-limits -b nothing",
		"set-limits -b photos -t ops -L get=9999999",
		"rm-limits -e user1@abc.com",
		"query-limits -e user1@abc.com",
		"query-quotas -e user1@abc.com",
		"set-quotas -o user -s 1024",
		"set-quotas -o bucket -s 256",
		"query-quotas -e user1@abc.com",
		"set-quotas -i $USER1 -s 5",
		"set-quotas -b photos --bytes 1610612736",
		"query-quotas -b photos --json",
		"query-quotas -o bucket",
		"rm-quotas -b photos",
		"rm-quotas -o user",
		"query-quotas -b photos",
		"list-usage",
	} {
		s.run(line)
	}
	r := usage.Open(usage.Options{
		Service: holdfast.NewServiceID(holdfast.TypeGateway, 5), Volume: st.volume, Period: time.Hour,
		Now: func() time.Time { return time.Unix(1485966714, 0) },
	})
	r.Add(usage.Key{Bucket: "client", Epoch: 98309, User: s.back["USER1"]}, usage.Put, 41258, 45511311)
	r.Close()
	const name = "s3-usage-8000000000000005-2017-02-01T16:31:54.000Z-3600"
	for _, line := range []string{
		"list-usage", "list-usage --json", "list-usage --after " + name, "get-usage -n " + name, "delete-usage -n " + name, "get-usage -n " + name,
		"delete-usage -n " + name,
	} {
		s.run(line)
	}
	s.compare("testdata/limits.golden", "")
}

// makeBuckets makes a bucket with versions, delete markers and an unfinished upload, and an empty one.
func makeBuckets(t *testing.T, v *volume.Volume, owner string) {
	t.Helper()
	ctx := t.Context()
	for _, name := range []string{"photos", "music"} {
		info := holdfast.BucketInfo{Name: name, Owner: owner}
		if name == "photos" {
			info.Versioning = holdfast.VersioningEnabled
		}
		if _, err := v.CreateBucket(ctx, info); err != nil {
			t.Fatal(err)
		}
	}
	b, err := v.Bucket(ctx, "photos")
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := b.Put(ctx, "a/b", volume.PutRequest{Body: strings.NewReader("0123456789"), Size: 10}); err != nil {
			t.Fatal(err)
		}
	}
	if r := b.Delete(ctx, []volume.DeleteRequest{{Key: "a/b"}})[0]; r.Err != nil {
		t.Fatal(r.Err)
	}
	if _, err := b.CreateUpload(ctx, "c", holdfast.Upload{}); err != nil {
		t.Fatal(err)
	}
}
