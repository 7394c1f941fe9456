package events

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// Target is a place that events can be sent to, as the server's configuration file has it.
type Target struct {
	ID   string `json:"id"`
	Type string `json:"type"` // webhook, nats or kafka

	URL   string `json:"url,omitempty"`   // webhook: http(s)://…; nats: nats://… or tls://…, several with commas
	Token string `json:"token,omitempty"` // webhook: sent as a bearer token; nats: of the connection

	Subject   string `json:"subject,omitempty"`   // nats
	JetStream bool   `json:"jetstream,omitempty"` // nats: publish to a stream and wait until it has stored the message

	Brokers []string `json:"brokers,omitempty"` // kafka: HOST:PORT
	Topic   string   `json:"topic,omitempty"`   // kafka

	TLS      bool   `json:"tls,omitempty"`      // kafka: with the certificate authorities of the system
	User     string `json:"user,omitempty"`     // kafka and nats
	Password string `json:"password,omitempty"` // of User
	SASL     string `json:"sasl,omitempty"`     // kafka, how the password is shown: plain (the default), scram-sha-256 or scram-sha-512
}

// MaxTargets bounds the targets of a server.
const MaxTargets = 32

var idForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// ValidateTargets returns the first thing that makes no sense.
func ValidateTargets(targets []Target) error {
	if len(targets) > MaxTargets {
		return fmt.Errorf("%d targets, at most %d", len(targets), MaxTargets)
	}
	seen := make(map[string]bool)
	for i := range targets {
		t := &targets[i]
		if !idForm.MatchString(t.ID) {
			return fmt.Errorf("id %q: must be 1 to 64 letters, digits, dashes and underscores", t.ID)
		}
		if seen[t.ID] {
			return fmt.Errorf("id %q: used twice", t.ID)
		}
		seen[t.ID] = true
		if err := t.validate(); err != nil {
			return fmt.Errorf("target %s: %w", t.ID, err)
		}
	}
	return nil
}

func (t *Target) validate() error {
	switch t.Type {
	case "webhook":
		u, err := url.Parse(t.URL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return fmt.Errorf("url %q: must be http://… or https://…", t.URL)
		}
	case "nats":
		for one := range strings.SplitSeq(t.URL, ",") {
			if u, err := url.Parse(strings.TrimSpace(one)); err != nil || u.Host == "" || u.Scheme != "nats" && u.Scheme != "tls" {
				return fmt.Errorf("url %q: must be nats://… or tls://…", t.URL)
			}
		}
		if t.Subject == "" || strings.ContainsAny(t.Subject, " \t\r\n*>") {
			return fmt.Errorf("subject %q: is no subject to publish to", t.Subject)
		}
	case "kafka":
		if len(t.Brokers) == 0 || t.Topic == "" {
			return errors.New("brokers and topic are needed")
		}
		if !slices.Contains([]string{"", saslPlain, scram256, scram512}, t.SASL) {
			return fmt.Errorf("sasl %q: must be %s, %s or %s", t.SASL, saslPlain, scram256, scram512)
		}
	default:
		return fmt.Errorf("type %q: must be webhook, nats or kafka", t.Type)
	}
	return nil
}

// How passwords are shown to Kafka.
const (
	saslPlain = "plain"
	scram256  = "scram-sha-256"
	scram512  = "scram-sha-512"
)

// ARN returns the name by which buckets refer to the target. The region is only for show.
func (t *Target) ARN(region string) string {
	return "arn:holdfast:sqs:" + region + ":" + t.ID + ":" + t.Type
}

// sameARN reports whether an ARN is that of the target, in whatever region.
func (t *Target) sameARN(arn string) bool {
	parts := strings.Split(arn, ":")
	return len(parts) == 6 && parts[0] == "arn" && parts[1] == "holdfast" && parts[2] == "sqs" && parts[4] == t.ID && parts[5] == t.Type
}

// sender delivers messages. A message that returned without an error is with the target. Safe for concurrent use.
type sender interface {
	send(ctx context.Context, key string, message []byte) error
	close()
}

// sendWithin bounds one delivery.
const sendWithin = 10 * time.Second

// open makes the sender of a target. It does not connect: a target that is away is waited for.
func (t *Target) open() (sender, error) {
	switch t.Type {
	case "webhook":
		return newWebhook(t), nil
	case "nats":
		return newNATS(t)
	default:
		return newKafka(t)
	}
}

// webhook posts each message as JSON; any status of 200 to 299 is a success.
type webhook struct {
	url, token string
	client     *http.Client
}

func newWebhook(t *Target) *webhook {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = lanes
	return &webhook{url: t.URL, token: t.Token, client: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// maxAnswer bounds how much of an answer is read, so that the connection can be used again.
const maxAnswer = 64 << 10

func (w *webhook) send(ctx context.Context, _ string, message []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(message))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	if w.token != "" {
		r.Header.Set("Authorization", "Bearer "+w.token)
	}
	a, err := w.client.Do(r)
	if err != nil {
		return err
	}
	defer a.Body.Close()
	_, _ = io.CopyN(io.Discard, a.Body, maxAnswer) // what it says is nothing to us
	if a.StatusCode < 200 || a.StatusCode > 299 {
		return fmt.Errorf("the webhook answered %s", a.Status)
	}
	return nil
}

func (w *webhook) close() { w.client.CloseIdleConnections() }

// natsSender publishes. Without JetStream a message counts once the server has it: who is not subscribed then does not get it.
type natsSender struct {
	conn    *nats.Conn
	subject string
	stream  nats.JetStreamContext // nil: none
}

func newNATS(t *Target) (*natsSender, error) {
	options := []nats.Option{
		nats.Name("holdfast events"), nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.ReconnectBufSize(-1),
		nats.Timeout(sendWithin),
	}
	if t.Token != "" {
		options = append(options, nats.Token(t.Token))
	}
	if t.User != "" {
		options = append(options, nats.UserInfo(t.User, t.Password))
	}
	conn, err := nats.Connect(t.URL, options...)
	if err != nil {
		return nil, err
	}
	s := &natsSender{conn: conn, subject: t.Subject}
	if t.JetStream {
		if s.stream, err = conn.JetStream(); err != nil {
			conn.Close()
			return nil, err
		}
	}
	return s, nil
}

func (s *natsSender) send(ctx context.Context, _ string, message []byte) error {
	if s.stream != nil {
		_, err := s.stream.Publish(s.subject, message, nats.Context(ctx))
		return err
	}
	if err := s.conn.Publish(s.subject, message); err != nil {
		return err
	}
	return s.conn.FlushWithContext(ctx)
}

func (s *natsSender) close() { s.conn.Close() }

// kafka produces with the key of the object as message key, so that the events of one key are in one partition, and waits until all
// replicas in sync have the message.
type kafka struct {
	client *kgo.Client
	topic  string
}

func newKafka(t *Target) (*kafka, error) {
	options := []kgo.Opt{
		kgo.SeedBrokers(t.Brokers...), kgo.ClientID("holdfast"), kgo.RequiredAcks(kgo.AllISRAcks()), kgo.RecordDeliveryTimeout(sendWithin),
		kgo.ProducerLinger(0),
	}
	if t.TLS {
		options = append(options, kgo.DialTLSConfig(&tls.Config{MinVersion: tls.VersionTLS12}))
	}
	if t.User != "" {
		options = append(options, kgo.SASL(t.mechanism()))
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return nil, err
	}
	return &kafka{client, t.Topic}, nil
}

// mechanism returns how the password is shown.
func (t *Target) mechanism() sasl.Mechanism {
	secret := scram.Auth{User: t.User, Pass: t.Password}
	switch t.SASL {
	case scram256:
		return secret.AsSha256Mechanism()
	case scram512:
		return secret.AsSha512Mechanism()
	}
	return plain.Auth{User: t.User, Pass: t.Password}.AsMechanism()
}

func (k *kafka) send(ctx context.Context, key string, message []byte) error {
	return k.client.ProduceSync(ctx, &kgo.Record{Topic: k.topic, Key: []byte(key), Value: message}).FirstErr()
}

func (k *kafka) close() { k.client.Close() }
