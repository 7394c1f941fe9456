package s3admin

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"holdfast/gw/policy"
)

// explain tells whether somebody may do something, and which rule decides. It reads the rules and decides as the gateway does; a
// request is not made.
type explain struct {
	whichBucket
	who
	account string
	action  string
	key     string
	with    withKeys
}

// withKeys is a flag for the keys that conditions look at; it may be repeated, a key with several values too.
type withKeys map[string][]string

func (w withKeys) String() string { return "" }

func (w *withKeys) Set(text string) error {
	key, value, ok := strings.Cut(text, "=")
	if !ok || key == "" {
		return errors.New("want KEY=VALUE")
	}
	if *w == nil {
		*w = make(withKeys)
	}
	key = strings.ToLower(key)
	(*w)[key] = append((*w)[key], value)
	return nil
}

// Lookup implements [policy.Context].
func (w withKeys) Lookup(key policy.Key, name string) policy.Value {
	switch values := w[strings.ToLower(string(key)+name)]; len(values) {
	case 0:
		return policy.Value{}
	case 1:
		return policy.Text(values[0])
	default:
		return policy.List(values)
	}
}

func (c *explain) flags(fs *flag.FlagSet) {
	c.whichBucket.flags(fs)
	c.who.flags(fs)
	fs.StringVar(&c.account, "n", "", "`name` of a service account of the user; without -e, -i and -n the caller is anonymous")
	fs.StringVar(&c.action, "a", "", "`action`, such as s3:GetObject")
	fs.StringVar(&c.key, "k", "", "`key` of the object; without it the action is on the bucket")
	fs.Var(&c.with, "with", "`KEY=VALUE` that conditions of policies look at, such as aws:SourceIp=192.0.2.1; may be repeated")
}

// answer is what explain finds out.
type explanation struct {
	Allowed       bool             `json:"allowed"`
	Because       string           `json:"because"`
	AccountPolicy []policy.Finding `json:"account_policy,omitempty"`
	BucketPolicy  []policy.Finding `json:"bucket_policy,omitempty"`
}

func (c *explain) run(ctx context.Context, s *session) error {
	if err := required("b", c.name, "the name of the bucket"); err != nil {
		return err
	}
	if !slices.Contains(policy.ActionNames(), c.action) {
		return badFlag("a", "%q is no S3 action; it is written as in s3:GetObject", c.action)
	}
	r, err := c.gather(ctx, s.client)
	if err != nil {
		return err
	}
	x := r.decide()
	if s.json {
		data, err := json.Marshal(x)
		if err == nil {
			s.out.printf("%s\n", data)
		}
		return err
	}
	s.out.printf("%s: %s\n", map[bool]string{true: "Allowed", false: "Denied"}[x.Allowed], x.Because)
	s.findings("account policy", x.AccountPolicy)
	s.findings("bucket policy", x.BucketPolicy)
	return nil
}

// findings prints what each statement of a policy does.
func (s *session) findings(title string, list []policy.Finding) {
	for _, f := range list {
		does := "does not apply"
		if f.Applies {
			does = "applies"
		}
		name := f.Sid
		if name == "" {
			name = "-"
		}
		s.out.printf("%s, statement %d (%s, %s) %s: %s\n", title, f.Index, name, f.Effect, does, f.Why)
	}
}

// rules is everything that a decision depends on.
type rules struct {
	request  policy.Request
	system   bool
	limit    *policy.Policy // of the service account; nil: none
	bucket   *policy.Policy // nil: none
	owner    string         // of the bucket
	enforced bool           // access control lists are switched off
	block    struct{ IgnorePublicAcls, RestrictPublicBuckets bool }
	list     accessList // that the action goes by; without grants if it goes by none
}

// accessList is an access control list as the S3 API shows it.
type accessList struct {
	Owner  string `xml:"Owner>ID"`
	Grants []struct {
		ID         string `xml:"Grantee>ID"`
		URI        string `xml:"Grantee>URI"`
		Permission string `xml:"Permission"`
	} `xml:"AccessControlList>Grant"`
}

// gather reads the rules.
func (c *explain) gather(ctx context.Context, client *client) (*rules, error) {
	r := &rules{request: policy.Request{
		Action: c.action, Resource: policy.Resource(c.name, c.key), Now: time.Now(), Context: c.with,
	}}
	if err := c.gatherCaller(ctx, client, r); err != nil {
		return nil, err
	}
	q, err := c.whichBucket.query()
	if err != nil {
		return nil, err
	}
	var list bucketList
	if _, err := client.fetch(ctx, "GET", q, nil, &list); err != nil {
		return nil, err
	}
	if len(list.Buckets) != 1 {
		return nil, badFlag("b", "there is no bucket %q", c.name)
	}
	r.owner = list.Buckets[0].Owner
	r.request.Owner = r.owner
	return r, c.gatherBucket(ctx, client, r)
}

// gatherCaller finds the user and the policy of the service account.
func (c *explain) gatherCaller(ctx context.Context, client *client, r *rules) error {
	if c.email == "" && c.id == "" {
		if c.account != "" {
			return badFlag("n", "name the user of the service account by -e ADDRESS or -i ID")
		}
		return nil
	}
	q, err := c.who.query(users())
	if err != nil {
		return err
	}
	var u user
	if _, err := client.fetch(ctx, "GET", q, nil, &u); err != nil {
		return err
	}
	r.request.Principal = policy.Principal{Account: u.ID, User: c.account}
	r.system = slices.Contains(u.Flags, "system")
	if c.account == "" {
		return nil
	}
	named := whichAccount{c.who, c.account}
	if q, err = named.query(); err != nil {
		return err
	}
	var a account
	if _, err := client.fetch(ctx, "GET", q, nil, &a); err != nil || len(a.Policy) == 0 {
		return err
	}
	r.limit, err = policy.ParseIdentity(a.Policy)
	return err
}

// gatherBucket reads the rules of the bucket.
func (c *explain) gatherBucket(ctx context.Context, client *client, r *rules) error {
	path := "/" + url.PathEscape(c.name)
	doc, err := client.setting(ctx, path, "policy")
	if err == nil && doc != nil {
		r.bucket, err = policy.ParseBucket(doc, c.name)
	}
	if err != nil {
		return err
	}
	if err := client.document(ctx, path, "publicAccessBlock", &r.block); err != nil {
		return err
	}
	var controls struct {
		Rule struct{ ObjectOwnership string }
	}
	if err := client.document(ctx, path, "ownershipControls", &controls); err != nil {
		return err
	}
	r.enforced = controls.Rule.ObjectOwnership == "BucketOwnerEnforced"
	if c.key != "" {
		segments := strings.Split(c.key, "/")
		for i := range segments {
			segments[i] = url.PathEscape(segments[i])
		}
		object := path + "/" + strings.Join(segments, "/")
		if err := c.gatherTags(ctx, client, object, r); err != nil {
			return err
		}
		if right, onObject := listRight(c.action); right != "" && onObject {
			path = object
		}
	}
	if right, onObject := listRight(c.action); right == "" || onObject && c.key == "" {
		return nil
	}
	return client.document(ctx, path, "acl", &r.list)
}

// gatherTags adds the object's tags to the keys of conditions if the bucket's policy looks at them.
func (c *explain) gatherTags(ctx context.Context, client *client, object string, r *rules) error {
	if r.bucket == nil || !r.bucket.NeedsExistingTags(c.action) {
		return nil
	}
	var tags struct {
		Tags []struct{ Key, Value string } `xml:"TagSet>Tag"`
	}
	if err := client.document(ctx, object, "tagging", &tags); err != nil {
		return err
	}
	for _, t := range tags.Tags {
		if err := c.with.Set(string(policy.KeyExistingObjectTag) + t.Key + "=" + t.Value); err != nil {
			return err
		}
	}
	r.request.Context = c.with
	return nil
}

// setting reads a sub-resource; nil if it is not set.
func (c *client) setting(ctx context.Context, path, name string) ([]byte, error) {
	doc, err := c.send(ctx, "GET", path, params{{name, ""}}, nil)
	var refused *apiError
	if errors.As(err, &refused) && (refused.status == http.StatusNotFound && refused.code != "NoSuchBucket") {
		return nil, nil
	}
	return doc, err
}

// document is setting for XML.
func (c *client) document(ctx context.Context, path, name string, into any) error {
	doc, err := c.setting(ctx, path, name)
	if err != nil || doc == nil {
		return err
	}
	return xml.Unmarshal(doc, into)
}
