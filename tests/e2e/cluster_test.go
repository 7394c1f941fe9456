package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"holdfast/node/nodetest"
)

// clusterClient is the SDK at the gateway of a host, with its ordinary retries.
func clusterClient(c *nodetest.Cluster, i int) *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: aws.String(c.Hosts[i].Endpoint), UsePathStyle: true, Region: "us-east-1",
		Credentials: credentials.NewStaticCredentialsProvider(c.Keys.AccessKey, c.Keys.SecretKey, ""),
	})
}

func nodeReady(t *testing.T, c *nodetest.Cluster, i int) {
	t.Helper()
	eventually(t, readyWithin, fmt.Sprintf("node %d to be ready", i+1), func() error {
		resp, err := http.Get("http://" + c.Hosts[i].Metrics + "/readyz")
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return errors.New(resp.Status)
		}
		return nil
	})
}

// TestKillNodesOfACluster runs three nodes on one directory: one is killed, one is stopped in good order, and what was acknowledged can be
// read through the last. A server is kept away from the directory of nodes.
func TestKillNodesOfACluster(t *testing.T) {
	c := nodetest.New(t, nodetest.Plan{Hosts: 3, NameServers: 3, ObjectServers: 3, Lease: time.Second})
	nodes := make([]*exec.Cmd, 3)
	for i := range nodes {
		nodes[i] = c.Exec(t, i, binary)
	}
	for i := range nodes {
		nodeReady(t, c, i)
	}
	if _, err := clusterClient(c, 0).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("bucket")}); err != nil {
		t.Fatal(err)
	}
	written := 0
	write := func(via ...int) {
		t.Helper()
		for range 40 {
			key := fmt.Sprintf("dir%d/key%d", written%9, written)
			_, err := clusterClient(c, via[written%len(via)]).PutObject(t.Context(),
				&s3.PutObjectInput{Bucket: aws.String("bucket"), Key: &key, Body: bytes.NewReader([]byte(key))})
			if err != nil {
				t.Fatalf("%s: %v", key, err)
			}
			written++
		}
	}
	write(0, 1, 2)
	out, err := exec.Command(binary, "server", "--data", c.Root, "--s3-address", freeAddress(t), "--metrics-address", freeAddress(t)).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "in use by") {
		t.Errorf("a server on the directory of nodes: %v, %s", err, out)
	}
	if err := nodes[1].Process.Kill(); err != nil {
		t.Fatal(err)
	}
	write(0, 2)
	if err := nodes[0].Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := nodes[0].Wait(); err != nil {
		t.Errorf("the node that was asked to stop: %v\n%s", err, c.Hosts[0].Log)
	}
	write(2)
	for n := range written {
		key := fmt.Sprintf("dir%d/key%d", n%9, n)
		got, err := clusterClient(c, 2).GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("bucket"), Key: &key})
		if err != nil {
			t.Fatalf("%s: %v", key, err)
		}
		body, err := io.ReadAll(got.Body)
		_ = got.Body.Close() // read to its end, or failed
		if err != nil || string(body) != key {
			t.Errorf("%s: %q, %v", key, body, err)
		}
	}
	checked, err := exec.Command(binary, "fsck", "-r", string(c.Hosts[2].Dir), "--deep").CombinedOutput()
	if err != nil {
		t.Errorf("fsck of the cluster: %v\n%s", err, checked)
	}
}
