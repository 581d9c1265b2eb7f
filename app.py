"""Open the dashboard: python app.py."""

import os

# Before gradio and huggingface_hub are imported: nothing leaves this machine unless the user asks for it.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from dashboard.app import main

if __name__ == "__main__":
    main()
