"""Makes an OpenTAXII with an API root, a private collection and a user who may read it, and becomes its server.

run_opentaxii.py FOLDER PORT WORKERS [DATABASE]
"""

import os
import sys

folder, port, workers = sys.argv[1:4]
database = sys.argv[4] if len(sys.argv) > 4 else f"sqlite:///{folder}/data.db"

with open(f"{folder}/opentaxii.yml", "w", encoding="utf-8") as file:
    file.write(f"""
domain: "127.0.0.1:{port}"
support_basic_auth: yes
return_server_error_details: no
auth_api:
  class: opentaxii.auth.sqldb.SQLDatabaseAPI
  parameters:
    db_connection: "sqlite:///{folder}/auth.db"
    create_tables: yes
    secret: "a secret of tests, 32 bytes and more"
    token_ttl_secs: 3600
taxii1:
taxii2:
  persistence_api:
    class: opentaxii.persistence.sqldb.Taxii2SQLDatabaseAPI
    parameters:
      db_connection: "{database}"
      create_tables: yes
  title: "OpenTAXII"
  public_discovery: false
  allow_custom_properties: true
  max_content_length: 209715200
logging:
  opentaxii: warning
  root: warning
""")
os.environ["OPENTAXII_CONFIG"] = f"{folder}/opentaxii.yml"

ROOT = "b96631e7-f1c1-43dd-b9d6-55d634f31c41"


def seed():
    from opentaxii.cli import app

    with app.app_context():
        store = app.taxii_server.servers.taxii2.persistence.api
        accounts = app.taxii_server.auth.api
        store.add_api_root(title="Root of tests", description="", default=True, api_root_id=ROOT)
        reports = store.add_collection(api_root_id=ROOT, title="Reports", alias="reports")
        store.add_collection(api_root_id=ROOT, title="Secrets", alias="secrets")
        accounts.create_account("admin", "admin-pw", is_admin=True)
        reader = accounts.create_account("reader", "reader-pw")
        reader.permissions = {str(reports.id): "read"}
        accounts.update_account(reader)


# In a process of its own: what it holds open is not for the server's workers.
child = os.fork()
if child == 0:
    seed()
    os._exit(0)
_, status = os.waitpid(child, 0)
if status != 0:
    sys.exit("it cannot be seeded")
gunicorn = os.path.join(os.path.dirname(sys.executable), "gunicorn")
os.execv(gunicorn, [gunicorn, "opentaxii.http:app", "--bind", f"127.0.0.1:{port}", "--workers", workers,
                    "--threads", "4", "--no-control-socket", "--timeout", "120"])
