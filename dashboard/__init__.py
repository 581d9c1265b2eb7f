"""The dashboard: a Gradio app on top of `gencore`."""
