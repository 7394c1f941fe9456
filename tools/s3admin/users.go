package s3admin

import (
	"context"
	"encoding/xml"
	"flag"
	"strings"
)

// users is the resource of users.
func users(more ...param) params { return append(params{{"ostor-users", ""}}, more...) }

// createUser is create-user.
type createUser struct {
	email  string
	system bool
}

func (c *createUser) flags(fs *flag.FlagSet) {
	fs.StringVar(&c.email, "e", "", "e-mail `address` of the new user")
	fs.BoolVar(&c.system, "S", false, "make a system user, who may use the management API")
}

func (c *createUser) run(ctx context.Context, s *session) error {
	if err := required("e", c.email, "the e-mail address of the new user"); err != nil {
		return err
	}
	q := users(param{"emailAddress", c.email})
	if c.system {
		q = append(q, param{"system", ""})
	}
	var u user
	answer, err := s.client.fetch(ctx, "PUT", q, nil, &u)
	if err != nil || s.passJSON(answer) {
		return err
	}
	s.out.printf("UserEmail:%s\nUserId:%s\n", u.Email, u.ID)
	for i, k := range u.Keys {
		s.out.printf("KeyPair[%d]:S3AccessKeyId:%s\nKeyPair[%d]:S3SecretAccessKey:%s\n", i, k.ID, i, k.Secret)
	}
	flags := strings.Join(u.Flags, ",")
	if flags == "" {
		flags = "none"
	}
	s.out.printf("Flags:%s\n", flags)
	return nil
}

// queryUsers is query-users.
type queryUsers struct{ all, xml bool }

func (c *queryUsers) flags(fs *flag.FlagSet) {
	fs.BoolVar(&c.all, "a", false, "show the secret keys")
	fs.BoolVar(&c.xml, "X", false, "print XML")
}

// hidden stands for a secret.
const hidden = "***"

func (c *queryUsers) run(ctx context.Context, s *session) error {
	q := users(param{"keys", ""})
	if c.all {
		q = append(q, param{"secrets", ""})
	}
	var list struct{ Users []user }
	answer, err := s.client.fetch(ctx, "GET", q, nil, &list)
	if err != nil || s.passJSON(answer) {
		return err
	}
	for i := range list.Users {
		for j := range list.Users[i].Keys {
			if !c.all {
				list.Users[i].Keys[j].Secret = hidden
			}
		}
	}
	if c.xml {
		return s.usersXML(list.Users)
	}
	s.out.table(func(add func(...string)) {
		add("S3 USER ID", "S3 ACCESS KEY ID", "S3 SECRET ACCESS KEY", "S3 USER EMAIL")
		for _, u := range list.Users {
			if len(u.Keys) == 0 {
				add(u.ID, "-", "-", u.Email)
			}
			for i, k := range u.Keys {
				if i == 0 {
					add(u.ID, k.ID, k.Secret, u.Email)
				} else {
					add("", k.ID, k.Secret, "")
				}
			}
		}
	})
	return nil
}

// usersXML prints users as QueryUsersResult.
func (s *session) usersXML(list []user) error {
	type pair struct{ S3AccessKeyId, S3SecretAccessKey string }
	type keys struct {
		OwnerId string
		KeyPair []pair
	}
	type one struct {
		Id    string
		Email string
		Keys  keys
	}
	doc := struct {
		XMLName xml.Name `xml:"QueryUsersResult"`
		Users   struct{ User []one }
	}{}
	for _, u := range list {
		o := one{Id: u.ID, Email: u.Email, Keys: keys{OwnerId: u.Owner}}
		for _, k := range u.Keys {
			o.Keys.KeyPair = append(o.Keys.KeyPair, pair{k.ID, k.Secret})
		}
		doc.Users.User = append(doc.Users.User, o)
	}
	return s.printXML(doc)
}

// printXML prints a document on one line.
func (s *session) printXML(doc any) error {
	data, err := xml.Marshal(doc)
	if err != nil {
		return err
	}
	s.out.printf("%s%s\n", strings.TrimSpace(xml.Header), data)
	return nil
}

// queryUserInfo is query-user-info.
type queryUserInfo struct{ who }

func (c *queryUserInfo) run(ctx context.Context, s *session) error {
	u, done, err := s.user(ctx, &c.who)
	if err != nil || done {
		return err
	}
	s.out.printf("Query user: user id=%s, user email=%s\n", u.ID, u.Email)
	for i, k := range u.Keys {
		s.out.printf("Key pair[%d]: access key id=%s, secret access key=%s\n", i, k.ID, k.Secret)
	}
	return nil
}

// user asks for one user. It prints the answer, and says so, if JSON is wanted.
func (s *session) user(ctx context.Context, w *who) (u user, printed bool, err error) {
	q, err := w.query(users())
	if err != nil {
		return u, false, err
	}
	answer, err := s.client.fetch(ctx, "GET", q, nil, &u)
	if err != nil {
		return u, false, err
	}
	return u, s.passJSON(answer), nil
}

// find asks for one user and prints nothing.
func (s *session) find(ctx context.Context, w *who) (u user, err error) {
	q, err := w.query(users())
	if err == nil {
		_, err = s.client.fetch(ctx, "GET", q, nil, &u)
	}
	return u, err
}

// switchUser is disable-user and enable-user.
type switchUser struct {
	who
	to, done string
}

func (c *switchUser) run(ctx context.Context, s *session) error {
	q, err := c.query(users())
	if err != nil {
		return err
	}
	if _, err := s.client.call(ctx, "POST", append(q, param{c.to, ""}), nil); err != nil || s.json {
		return err
	}
	u, err := s.find(ctx, &c.who)
	if err == nil {
		s.out.printf("%s user: user id=%s\n", c.done, u.ID)
	}
	return err
}

// deleteUser is delete-user.
type deleteUser struct{ who }

func (c *deleteUser) run(ctx context.Context, s *session) error {
	u, err := s.find(ctx, &c.who)
	if err != nil {
		return err
	}
	if _, err := s.client.call(ctx, "DELETE", users(param{"id", u.ID}), nil); err != nil || s.json {
		return err
	}
	s.out.printf("Deleted user: user id=%s\n", u.ID)
	return nil
}

// genAccessKey is gen-access-key.
type genAccessKey struct{ who }

func (c *genAccessKey) run(ctx context.Context, s *session) error {
	q, err := c.query(users())
	if err != nil {
		return err
	}
	var u user
	answer, err := s.client.fetch(ctx, "POST", append(q, param{"genKey", ""}), nil, &u)
	if err != nil || s.passJSON(answer) {
		return err
	}
	for _, k := range u.Keys {
		s.out.printf("Generate access key: user id=%s, access key id=%s, secret access key=%s\n", u.ID, k.ID, k.Secret)
	}
	return nil
}

// revokeAccessKey is revoke-access-key.
type revokeAccessKey struct {
	who
	key string
}

func (c *revokeAccessKey) flags(fs *flag.FlagSet) {
	c.who.flags(fs)
	fs.StringVar(&c.key, "k", "", "access `key` to take away")
}

func (c *revokeAccessKey) run(ctx context.Context, s *session) error {
	q, err := c.query(users())
	if err != nil {
		return err
	}
	if err := required("k", c.key, "the access key to take away"); err != nil {
		return err
	}
	if _, err := s.client.call(ctx, "POST", append(q, param{"revokeKey", c.key}), nil); err != nil || s.json {
		return err
	}
	u, err := s.find(ctx, &c.who)
	if err == nil {
		s.out.printf("Revoke access key: user id=%s, access key id=%s\n", u.ID, c.key)
	}
	return err
}
